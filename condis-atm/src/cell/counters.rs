//! What was done, and every drop under its name.

/// Defines a struct of counters and how to walk over them.
macro_rules! counters {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_meta])* pub $field: u64,)*
        }

        impl $name {
            /// Every counter with its name, in the order of the fields.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
                [$((stringify!($field), self.$field),)*].into_iter()
            }
        }

        impl std::ops::AddAssign for $name {
            fn add_assign(&mut self, other: $name) {
                $(self.$field += other.$field;)*
            }
        }
    };
}

pub(crate) use counters;

counters! {
    /// What a [`HecReceiver`](super::HecReceiver) counts. A name that begins with `dropped` counts cells that had no other
    /// effect.
    HecCounters {
        /// Cells whose header was right.
        valid,
        /// Cells in whose header one bit was wrong, and was put right.
        corrected,
        /// Cells whose header was wrong in more than one bit, while correcting.
        dropped_several_bits,
        /// Cells whose header was wrong in one bit or more, while only detecting.
        dropped_while_detecting,
        /// Of those with a good header: idle, unassigned and of the physical layer, which [`runs`](super::runs) leaves out.
        not_assigned,
    }
}

counters! {
    /// What a [`Loopback`](super::loopback::Loopback) counts. A name that begins with `dropped` counts cells that had no
    /// other effect.
    LoopbackCounters {
        /// Loopback cells sent.
        sent,
        /// Answers to them that came in time.
        answered,
        /// Loopback cells that nobody answered in time.
        timed_out,
        /// Loopback cells of others that were answered.
        answers_sent,
        /// Cells of other OAM functions; they are for someone else, if for anyone.
        other_functions,
        /// Cells that are no OAM F5 flow.
        dropped_not_oam,
        /// OAM cells whose CRC-10 is wrong.
        dropped_crc,
        /// Answers to nothing that was asked, or that came too late or twice.
        dropped_unasked,
        /// Loopback cells for another place on the way.
        dropped_other_location,
        /// Loopback cells not answered because [`LoopbackConfig::answers_max`](super::loopback::LoopbackConfig::answers_max)
        /// answers wait to be sent.
        dropped_answers_full,
    }
}
