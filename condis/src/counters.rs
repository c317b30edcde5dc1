//! Counters under names.

/// Defines a struct of counters and how to walk over them.
///
/// Every drop has a name: a field that begins with `dropped` counts what had no other effect. A report can add the counters of
/// several machines up, and a test can compare two moments.
///
/// ```
/// condis::counters! {
///     /// What a machine counts.
///     MachineCounters {
///         /// Packets taken.
///         taken,
///         /// Packets that were malformed.
///         dropped_malformed,
///     }
/// }
///
/// let mut counters = MachineCounters::default();
/// counters.taken += 2;
/// counters += counters;
/// assert_eq!(counters.iter().collect::<Vec<_>>(), [("taken", 4), ("dropped_malformed", 0)]);
/// ```
#[macro_export]
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
