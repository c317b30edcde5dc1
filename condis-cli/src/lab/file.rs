//! The lab file as it is written: TOML, every value with its place.

use indexmap::IndexMap;
use serde::Deserialize;
use toml::Spanned;

/// A table in the order in which it stands in the file.
pub(super) type Table<T> = IndexMap<Spanned<String>, T>;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LabFile {
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) segment: Table<SegmentTable>,
    #[serde(default)]
    pub(super) fibre: Table<FibreTable>,
    #[serde(default)]
    pub(super) switch: Table<SwitchTable>,
    #[serde(default)]
    pub(super) node: Table<NodeTable>,
}

/// `[segment.NAME]`: an Ethernet in memory.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct SegmentTable {
    pub(super) delay: Option<Spanned<String>>,
    pub(super) jitter: Option<Spanned<String>>,
    pub(super) rate: Option<Spanned<Quantity>>,
    pub(super) queue: Option<Spanned<Quantity>>,
    pub(super) loss: Option<Spanned<f64>>,
    pub(super) duplicate: Option<Spanned<f64>>,
    pub(super) reorder: Option<Spanned<f64>>,
    pub(super) reorder_by: Option<Spanned<String>>,
    pub(super) corrupt: Option<Spanned<f64>>,
    pub(super) cuts: Vec<CutTable>,
}

/// `[fibre.NAME]`: a line of cells in memory, with two ends.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct FibreTable {
    pub(super) delay: Option<Spanned<String>>,
    pub(super) jitter: Option<Spanned<String>>,
    pub(super) rate: Option<Spanned<Quantity>>,
    pub(super) queue: Option<Spanned<Quantity>>,
    pub(super) loss: Option<Spanned<f64>>,
    pub(super) duplicate: Option<Spanned<f64>>,
    pub(super) reorder: Option<Spanned<f64>>,
    pub(super) reorder_by: Option<Spanned<String>>,
    pub(super) corrupt: Option<Spanned<f64>>,
    pub(super) cuts: Vec<CutTable>,
}

/// `[switch.NAME]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SwitchTable {
    pub(super) port: Table<PortTable>,
    pub(super) pvc: Vec<SwitchPvcTable>,
}

/// `[switch.NAME.port.NAME]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PortTable {
    pub(super) link: Spanned<String>,
    pub(super) uni: Option<Spanned<String>>,
    pub(super) prefix: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) addresses: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) routes: Vec<Spanned<String>>,
    pub(super) rate: Option<Spanned<Quantity>>,
    #[serde(default)]
    pub(super) police: bool,
}

/// `[[switch.NAME.pvc]]`: `a` and `b` are `PORT:VPI.VCI`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SwitchPvcTable {
    pub(super) a: Spanned<String>,
    pub(super) b: Spanned<String>,
    pub(super) category: Option<Spanned<String>>,
    pub(super) pcr: Option<Spanned<u32>>,
}

/// One of the `cuts` of a segment or a fibre.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CutTable {
    pub(super) at: Spanned<String>,
    pub(super) r#for: Spanned<String>,
}

/// `[node.NAME]`: one NDIS instance.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct NodeTable {
    pub(super) adapter: Table<AdapterTable>,
    pub(super) client: Table<ClientTable>,
    pub(super) ip: Table<IpTable>,
}

/// `[node.NAME.adapter.NAME]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AdapterTable {
    pub(super) link: Spanned<String>,
    pub(super) drivers: Spanned<Vec<Spanned<String>>>,
    pub(super) address: Option<Spanned<String>>,
    pub(super) concentrator: Option<Spanned<String>>,
    pub(super) uni: Option<Spanned<String>>,
    pub(super) esi: Option<Spanned<String>>,
    pub(super) ilmi: Option<Spanned<bool>>,
    pub(super) addresses: Option<Spanned<Vec<Spanned<String>>>>,
}

/// `[node.NAME.client.NAME]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientTable {
    pub(super) adapter: Spanned<String>,
    #[serde(default)]
    pub(super) offers: Vec<Spanned<OfferEntry>>,
    #[serde(default)]
    pub(super) pvcs: Vec<Spanned<String>>,
    pub(super) idle: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) call: Vec<Spanned<CallTable>>,
}

/// One of the `offers` of a client: a service or an address, or an address with what the caller is to say of the layers above.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a text, or a table with `address`, and perhaps `blli` and `bhli`")]
pub(super) enum OfferEntry {
    Text(String),
    Sap(SapTable),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SapTable {
    // Without places of their own: what reads one of two forms keeps none.
    pub(super) address: String,
    pub(super) blli: Option<String>,
    pub(super) bhli: Option<String>,
}

/// `[[node.NAME.client.NAME.call]]`. Whom it calls is `service`, `to` or `pvc`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct CallTable {
    pub(super) service: Option<Spanned<String>>,
    pub(super) to: Option<Spanned<String>>,
    pub(super) pvc: Option<Spanned<String>>,
    pub(super) leaves: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) category: Option<Spanned<String>>,
    pub(super) pcr: Option<Spanned<u32>>,
    pub(super) scr: Option<Spanned<u32>>,
    pub(super) mbs: Option<Spanned<u32>>,
    pub(super) change_pcr: Option<Spanned<u32>>,
    pub(super) blli: Option<Spanned<String>>,
    pub(super) bhli: Option<Spanned<String>>,
    pub(super) refused: Option<Spanned<u8>>,
    pub(super) concentrator: Option<Spanned<String>>,
    pub(super) send: Option<Spanned<Quantity>>,
    pub(super) frame: Option<Spanned<Quantity>>,
    pub(super) check: Option<Spanned<String>>,
    pub(super) close: Option<Spanned<String>>,
    pub(super) hold: Option<Spanned<String>>,
    pub(super) times: Option<Spanned<u32>>,
    pub(super) timeout: Option<Spanned<String>>,
}

/// `[node.NAME.ip.NAME]`: an IP client.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IpTable {
    pub(super) adapter: Spanned<String>,
    pub(super) ip: Spanned<String>,
    pub(super) address: Option<Spanned<String>>,
    pub(super) server: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) pvcs: Vec<Spanned<IpPvcTable>>,
    pub(super) mtu: Option<Spanned<Quantity>>,
    pub(super) idle: Option<Spanned<String>>,
    pub(super) tun: Option<Spanned<String>>,
    pub(super) ping: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) sizes: Option<Spanned<Vec<Spanned<Quantity>>>>,
    pub(super) times: Option<Spanned<u32>>,
    pub(super) timeout: Option<Spanned<String>>,
    pub(super) patience: Option<Spanned<String>>,
}

/// One of the `pvcs` of an IP client.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IpPvcTable {
    pub(super) pvc: Spanned<String>,
    pub(super) encapsulation: Option<Spanned<String>>,
    pub(super) peer: Option<Spanned<String>>,
}

/// A number, or a number with a unit.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a number, or a text such as \"1MiB\" or \"100Mbit\"")]
pub(super) enum Quantity {
    Number(u64),
    Text(String),
}
