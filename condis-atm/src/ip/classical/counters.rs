condis::counters! {
    /// What a member of a LIS counts. A name that begins with `dropped` counts packets that had no other effect.
    LisCounters {
        /// IP packets of the host, handed in.
        packets_in,
        /// Of them those transmitted, those that waited for a call included.
        packets_transmitted,
        /// IP packets that arrived for the host.
        packets_delivered,
        /// ATMARP and InATMARP packets that arrived.
        arp_received,
        /// Of both kinds, those sent.
        arp_transmitted,
        /// Calls made.
        calls_made,
        /// Calls closed because nothing had passed for a while.
        calls_idle,
        /// Stations that the server did not take in, since their IP address is another's whose connection stands.
        duplicates_refused,
        /// Packets too short for an IPv4 header, or longer than the MTU.
        dropped_malformed,
        /// IPv6 packets, which a host sends unasked.
        dropped_ipv6,
        /// Packets to an address outside of the subnet, and stations that say that they have one.
        dropped_not_in_lis,
        /// Broadcasts and multicasts.
        dropped_not_unicast,
        /// Packets to an address that the server does not know, or nobody answered for.
        dropped_unresolved,
        /// Packets that waited for a call that failed.
        dropped_call_failed,
        /// Packets that found the queue of those that wait full.
        dropped_queue_full,
        /// Packets, or stations, for which there was no room in the table.
        dropped_table_full,
        /// Packets, counted as transmitted, that were not.
        dropped_not_sent,
        /// SDUs in no encapsulation that is taken.
        dropped_encapsulation,
        /// SDUs of a connection that is not there.
        dropped_no_vc,
        /// ATMARP packets that cannot be read.
        dropped_arp_malformed,
        /// ATMARP packets that are not for us, or answer nothing that was asked.
        dropped_arp_unasked,
        /// ATMARP packets that speak for another station than the one at the far end of the connection, for ourselves, or for an address that
        /// is known to be elsewhere.
        dropped_arp_impostor,
        /// ATMARP requests at a member that is no server.
        dropped_arp_no_server,
    }
}
