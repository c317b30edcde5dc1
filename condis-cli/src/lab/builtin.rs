//! The labs that come with the program.

/// A lab that comes with the program.
#[derive(Debug)]
pub struct Builtin {
    /// What it is asked for by.
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
}

/// All of them. The first one is run if none is asked for.
pub const BUILTINS: &[Builtin] = &[
    Builtin { name: "two-ways", text: include_str!("../../../labs/two-ways.toml") },
    Builtin { name: "lossy", text: include_str!("../../../labs/lossy.toml") },
    Builtin { name: "atm", text: include_str!("../../../labs/atm.toml") },
    Builtin { name: "ip-over-atm", text: include_str!("../../../labs/ip-over-atm.toml") },
    Builtin { name: "pppoe-ac", text: include_str!("../../../labs/pppoe-ac.toml") },
    Builtin { name: "pppoe-host", text: include_str!("../../../labs/pppoe-host.toml") },
    Builtin { name: "atm-switch", text: include_str!("../../../labs/atm-switch.toml") },
    Builtin { name: "atm-host", text: include_str!("../../../labs/atm-host.toml") },
    Builtin { name: "ip-host", text: include_str!("../../../labs/ip-host.toml") },
];

impl Builtin {
    /// The first sentence of its file, for lists.
    pub fn description(&self) -> String {
        let table: toml::Table = self.text.parse().unwrap_or_default();
        table.get("description").and_then(|text| text.as_str()).unwrap_or_default().to_owned()
    }
}
