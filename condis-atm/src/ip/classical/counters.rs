/// What a member of a LIS counts. A name that begins with `dropped` counts packets that had no other effect.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct LisCounters {
    /// IP packets of the host, handed in.
    pub packets_in: u64,
    /// Of them those transmitted, those that waited for a call included.
    pub packets_transmitted: u64,
    /// IP packets that arrived for the host.
    pub packets_delivered: u64,
    /// ATMARP and InATMARP packets that arrived.
    pub arp_received: u64,
    /// Of both kinds, those sent.
    pub arp_transmitted: u64,
    /// Calls made.
    pub calls_made: u64,
    /// Calls closed because nothing had passed for a while.
    pub calls_idle: u64,
    /// Stations that the server did not take in, since their IP address is another's whose connection stands.
    pub duplicates_refused: u64,
    /// Packets too short for an IPv4 header, or longer than the MTU.
    pub dropped_malformed: u64,
    /// Packets to an address outside of the subnet.
    pub dropped_not_in_lis: u64,
    /// Broadcasts and multicasts.
    pub dropped_not_unicast: u64,
    /// Packets to an address that the server does not know, or nobody answered for.
    pub dropped_unresolved: u64,
    /// Packets that waited for a call that failed.
    pub dropped_call_failed: u64,
    /// Packets that found the queue of those that wait full.
    pub dropped_queue_full: u64,
    /// Packets, or stations, for which there was no room in the table.
    pub dropped_table_full: u64,
    /// Packets, counted as transmitted, that were not.
    pub dropped_not_sent: u64,
    /// SDUs in no encapsulation that is taken.
    pub dropped_encapsulation: u64,
    /// SDUs of a connection that is not there.
    pub dropped_no_vc: u64,
    /// ATMARP packets that cannot be read.
    pub dropped_arp_malformed: u64,
    /// ATMARP packets that are not for us, or answer nothing that was asked.
    pub dropped_arp_unasked: u64,
    /// ATMARP packets that speak for another station than the one at the far end of the connection, or for ourselves.
    pub dropped_arp_impostor: u64,
    /// ATMARP requests at a member that is no server.
    pub dropped_arp_no_server: u64,
}

impl LisCounters {
    /// Every counter with its name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        [
            ("packets_in", self.packets_in),
            ("packets_transmitted", self.packets_transmitted),
            ("packets_delivered", self.packets_delivered),
            ("arp_received", self.arp_received),
            ("arp_transmitted", self.arp_transmitted),
            ("calls_made", self.calls_made),
            ("calls_idle", self.calls_idle),
            ("duplicates_refused", self.duplicates_refused),
            ("dropped_malformed", self.dropped_malformed),
            ("dropped_not_in_lis", self.dropped_not_in_lis),
            ("dropped_not_unicast", self.dropped_not_unicast),
            ("dropped_unresolved", self.dropped_unresolved),
            ("dropped_call_failed", self.dropped_call_failed),
            ("dropped_queue_full", self.dropped_queue_full),
            ("dropped_table_full", self.dropped_table_full),
            ("dropped_not_sent", self.dropped_not_sent),
            ("dropped_encapsulation", self.dropped_encapsulation),
            ("dropped_no_vc", self.dropped_no_vc),
            ("dropped_arp_malformed", self.dropped_arp_malformed),
            ("dropped_arp_unasked", self.dropped_arp_unasked),
            ("dropped_arp_impostor", self.dropped_arp_impostor),
            ("dropped_arp_no_server", self.dropped_arp_no_server),
        ]
        .into_iter()
    }
}
