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

/// One of the `cuts` of a segment.
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
}

/// `[node.NAME.adapter.NAME]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AdapterTable {
    pub(super) link: Spanned<String>,
    pub(super) drivers: Spanned<Vec<Spanned<String>>>,
    pub(super) address: Option<Spanned<String>>,
    pub(super) concentrator: Option<Spanned<String>>,
}

/// `[node.NAME.client.NAME]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientTable {
    pub(super) adapter: Spanned<String>,
    #[serde(default)]
    pub(super) offers: Vec<Spanned<String>>,
    pub(super) idle: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) call: Vec<CallTable>,
}

/// `[[node.NAME.client.NAME.call]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallTable {
    pub(super) service: Spanned<String>,
    pub(super) concentrator: Option<Spanned<String>>,
    pub(super) send: Option<Spanned<Quantity>>,
    pub(super) frame: Option<Spanned<Quantity>>,
    pub(super) check: Option<Spanned<String>>,
    pub(super) close: Option<Spanned<String>>,
    pub(super) hold: Option<Spanned<String>>,
    pub(super) times: Option<Spanned<u32>>,
    pub(super) timeout: Option<Spanned<String>>,
}

/// A number, or a number with a unit.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a number, or a text such as \"1MiB\" or \"100Mbit\"")]
pub(super) enum Quantity {
    Number(u64),
    Text(String),
}
