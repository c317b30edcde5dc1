//! The objects that an entity answers for, and their names.
//!
//! | object | value |
//! |---|---|
//! | sysDescr, sysObjectID, sysUpTime, sysContact, sysName, sysLocation, sysServices | RFC 1213 §3.4 |
//! | atmfPortIndex, atmfPortMyIfName, atmfPortMyIfIdentifier | of interface 0, "this one" |
//! | atmfMySystemIdentifier | six octets |
//! | atmfAtmLayerIndex, …MaxVPCs, …MaxVCCs, …ConfiguredVPCs, …ConfiguredVCCs (both 0), …MaxVpiBits, …MaxVciBits | |
//! | atmfAtmLayerUniType, …UniVersion, …DeviceType, …IlmiVersion (4.0), …NniSigVersion (unsupported) | |
//! | atmfAddressStatus, atmfAddressOrgScope | network side: the addresses registered (scope: 1, local network) |
//! | atmfNetPrefixStatus | user side: the prefixes given |
//! | atmfAddressRegistrationAdminStatus | supported |
//!
//! Source: ATM-FORUM-MIB and ATM-FORUM-ADDR-REG, RFC 1213.

use condis::runtime::Time;

use super::config::Attributes;
use super::wire::{Oid, Value};

/// The objects of one moment, by name.
pub(super) struct Objects(Vec<(Oid, Value)>);

impl Objects {
    /// All that is fixed, of an entity that has been up for so long. Rows of tables follow with [`Objects::with_rows`].
    pub(super) fn new(attributes: &Attributes, device: i64, up_time: u32) -> Objects {
        let text = |text: &str| Value::Octets(text.bytes().take(TEXT_OCTETS_MAX).collect());
        let number = |number: u32| Value::Integer(number.into());
        let all: [(&[u32], Value); 25] = [
            (SYS_DESCR, text(concat!("condis ", env!("CARGO_PKG_VERSION")))),
            (SYS_OBJECT_ID, Value::Oid(Oid::new(&[0, 0]))),
            (SYS_UP_TIME, Value::TimeTicks(up_time)),
            (SYS_CONTACT, text("")),
            (SYS_NAME, text(&attributes.name)),
            (SYS_LOCATION, text("")),
            (SYS_SERVICES, number(SERVICE_LINK)),
            (PORT_INDEX, number(0)),
            (PORT_MY_IF_NAME, text(&attributes.interface_name)),
            (PORT_MY_IF_IDENTIFIER, number(attributes.interface_identifier)),
            (MY_SYSTEM_IDENTIFIER, Value::Octets(attributes.system_identifier.to_vec())),
            (LAYER_INDEX, number(0)),
            (LAYER_VPCS_MAX, number(attributes.vpcs_max.into())),
            (LAYER_VCCS_MAX, number(attributes.vccs_max)),
            (LAYER_VPCS_CONFIGURED, number(0)),
            (LAYER_VCCS_CONFIGURED, number(0)),
            (LAYER_VPI_BITS, number(attributes.vpi_bits.into())),
            (LAYER_VCI_BITS, number(attributes.vci_bits.into())),
            (LAYER_UNI_TYPE, Value::Integer(attributes.uni_type as i64)),
            (LAYER_UNI_VERSION, Value::Integer(attributes.uni_version as i64)),
            (LAYER_DEVICE_TYPE, Value::Integer(device)),
            (LAYER_ILMI_VERSION, Value::Integer(ILMI_40)),
            (LAYER_NNI_SIG_VERSION, Value::Integer(NNI_UNSUPPORTED)),
            (REGISTRATION_ADMIN_INDEX, number(0)),
            (REGISTRATION_ADMIN_STATUS, Value::Integer(SUPPORTED)),
        ];
        Objects(all.map(|(name, value)| (Oid::new(name), value)).into())
    }

    /// The same with these besides.
    pub(super) fn with_rows(mut self, rows: impl Iterator<Item = (Oid, Value)>) -> Objects {
        self.0.extend(rows);
        self.0.sort_by(|one, other| one.0.cmp(&other.0));
        self
    }

    /// The value of this object.
    pub(super) fn get(&self, name: &Oid) -> Option<&Value> {
        let at = self.0.binary_search_by(|object| object.0.cmp(name)).ok()?;
        Some(&self.0[at].1)
    }

    /// The object behind this name, which need not be one.
    pub(super) fn next(&self, name: &Oid) -> Option<&(Oid, Value)> {
        self.0.get(self.0.partition_point(|object| object.0 <= *name))
    }
}

/// Hundredths of a second since `began`; they go round after 497 days.
pub(super) fn up_time(began: Time, now: Time) -> u32 {
    (now.since(began).as_millis() / 10) as u32
}

/// sysDescr.
pub const SYS_DESCR: &[u32] = &[1, 3, 6, 1, 2, 1, 1, 1, 0];
/// sysObjectID.
pub const SYS_OBJECT_ID: &[u32] = &[1, 3, 6, 1, 2, 1, 1, 2, 0];
/// sysUpTime.
pub const SYS_UP_TIME: &[u32] = &[1, 3, 6, 1, 2, 1, 1, 3, 0];
/// sysContact.
pub const SYS_CONTACT: &[u32] = &[1, 3, 6, 1, 2, 1, 1, 4, 0];
/// sysName.
pub const SYS_NAME: &[u32] = &[1, 3, 6, 1, 2, 1, 1, 5, 0];
/// sysLocation.
pub const SYS_LOCATION: &[u32] = &[1, 3, 6, 1, 2, 1, 1, 6, 0];
/// sysServices.
pub const SYS_SERVICES: &[u32] = &[1, 3, 6, 1, 2, 1, 1, 7, 0];

/// atmForumUni, below which the ATM Forum's objects are.
pub const ATM_FORUM_UNI: &[u32] = &[1, 3, 6, 1, 4, 1, 353, 2];
/// atmfPortIndex of this interface.
pub const PORT_INDEX: &[u32] = &[1, 3, 6, 1, 4, 1, 353, 2, 1, 1, 1, 1, 0];
/// atmfPortMyIfName of this interface.
pub const PORT_MY_IF_NAME: &[u32] = &[1, 3, 6, 1, 4, 1, 353, 2, 1, 1, 1, 7, 0];
/// atmfPortMyIfIdentifier of this interface.
pub const PORT_MY_IF_IDENTIFIER: &[u32] = &[1, 3, 6, 1, 4, 1, 353, 2, 1, 1, 1, 8, 0];
/// atmfMySystemIdentifier.
pub const MY_SYSTEM_IDENTIFIER: &[u32] = &[1, 3, 6, 1, 4, 1, 353, 2, 1, 4, 0];
/// atmfAtmLayerIndex of this interface.
pub const LAYER_INDEX: &[u32] = &[1, 3, 6, 1, 4, 1, 353, 2, 2, 1, 1, 1, 0];
/// atmfAtmLayerMaxVPCs.
pub const LAYER_VPCS_MAX: &[u32] = &[1, 3, 6, 1, 4, 1, 353, 2, 2, 1, 1, 2, 0];
/// atmfAtmLayerMaxVCCs.
pub const LAYER_VCCS_MAX: &[u32] = &[1, 3, 6, 1, 4, 1, 353, 2, 2, 1, 1, 3, 0];
/// atmfAtmLayerConfiguredVPCs.
pub const LAYER_VPCS_CONFIGURED: &[u32] = &[1, 3, 6, 1, 4, 1, 353, 2, 2, 1, 1, 4, 0];
/// atmfAtmLayerConfiguredVCCs.
pub const LAYER_VCCS_CONFIGURED: &[u32] = &[1, 3, 6, 1, 4, 1, 353, 2, 2, 1, 1, 5, 0];
/// atmfAtmLayerMaxVpiBits.
pub const LAYER_VPI_BITS: &[u32] = &[1, 3, 6, 1, 4, 1, 353, 2, 2, 1, 1, 6, 0];
/// atmfAtmLayerMaxVciBits.
pub const LAYER_VCI_BITS: &[u32] = &[1, 3, 6, 1, 4, 1, 353, 2, 2, 1, 1, 7, 0];
/// atmfAtmLayerUniType.
pub const LAYER_UNI_TYPE: &[u32] = &[1, 3, 6, 1, 4, 1, 353, 2, 2, 1, 1, 8, 0];
/// atmfAtmLayerUniVersion.
pub const LAYER_UNI_VERSION: &[u32] = &[1, 3, 6, 1, 4, 1, 353, 2, 2, 1, 1, 9, 0];
/// atmfAtmLayerDeviceType.
pub const LAYER_DEVICE_TYPE: &[u32] = &[1, 3, 6, 1, 4, 1, 353, 2, 2, 1, 1, 10, 0];
/// atmfAtmLayerIlmiVersion.
pub const LAYER_ILMI_VERSION: &[u32] = &[1, 3, 6, 1, 4, 1, 353, 2, 2, 1, 1, 11, 0];
/// atmfAtmLayerNniSigVersion.
pub const LAYER_NNI_SIG_VERSION: &[u32] = &[1, 3, 6, 1, 4, 1, 353, 2, 2, 1, 1, 12, 0];
/// atmfAddressStatus; behind it the interface, the count of octets, and the octets of an address.
pub const ADDRESS_STATUS: &[u32] = &[1, 3, 6, 1, 4, 1, 353, 2, 6, 1, 1, 3];
/// atmfAddressOrgScope; behind it the same.
pub const ADDRESS_ORG_SCOPE: &[u32] = &[1, 3, 6, 1, 4, 1, 353, 2, 6, 1, 1, 4];
/// atmfNetPrefixStatus; behind it the interface, the count of octets, and the octets of a prefix.
pub const NET_PREFIX_STATUS: &[u32] = &[1, 3, 6, 1, 4, 1, 353, 2, 7, 1, 1, 3];
/// atmfAddressRegistrationAdminIndex of this interface.
pub const REGISTRATION_ADMIN_INDEX: &[u32] = &[1, 3, 6, 1, 4, 1, 353, 2, 11, 1, 1, 1, 0];
/// atmfAddressRegistrationAdminStatus of this interface.
pub const REGISTRATION_ADMIN_STATUS: &[u32] = &[1, 3, 6, 1, 4, 1, 353, 2, 11, 1, 1, 2, 0];

/// The interface over which the message came.
pub(super) const THIS_INTERFACE: u32 = 0;

/// Values of the two status columns.
pub(super) const VALID: i64 = 1;
pub(super) const INVALID: i64 = 2;

/// Values of atmfAtmLayerDeviceType.
pub(super) const DEVICE_USER: i64 = 1;
pub(super) const DEVICE_NODE: i64 = 2;

/// Values of atmfAddressRegistrationAdminStatus.
pub(super) const SUPPORTED: i64 = 1;
pub(super) const UNSUPPORTED: i64 = 2;

/// atmfAddressOrgScope: localNetwork.
pub(super) const SCOPE_LOCAL_NETWORK: i64 = 1;

/// atmfAtmLayerIlmiVersion: version4point0.
const ILMI_40: i64 = 2;
/// atmfAtmLayerNniSigVersion: unsupported.
const NNI_UNSUPPORTED: i64 = 1;
/// sysServices: layer 2, by RFC 1213's sum of powers of two.
const SERVICE_LINK: u32 = 2;

/// Octets of a text that are told, so that a response of some of them is no longer than a message may be.
const TEXT_OCTETS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_objects_are_in_order_and_next_goes_through_all() {
        let objects = Objects::new(&Attributes::default(), DEVICE_USER, 0).with_rows(std::iter::empty());
        let mut names = Vec::new();
        let mut name = Oid::default();
        while let Some((next, value)) = objects.next(&name) {
            assert_eq!(objects.get(next), Some(value));
            names.push(next.clone());
            name = next.clone();
        }
        assert_eq!(names.len(), objects.0.len());
        assert!(names.is_sorted());
        assert_eq!(objects.get(&Oid::new(ADDRESS_STATUS)), None);
    }

    #[test]
    fn the_up_time_is_in_hundredths_and_goes_round() {
        let at = |ms: u64| Time::from_nanos(ms * 1_000_000);
        assert_eq!(up_time(at(0), at(1_239)), 123);
        assert_eq!(up_time(at(1_000), at(500)), 0);
        assert_eq!(up_time(at(0), at((1 << 32) * 10 + 70)), 7);
    }
}
