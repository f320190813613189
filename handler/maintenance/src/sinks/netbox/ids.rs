//! Ids of NetBox's objects. One type per kind, so that a circuit's id is never sent for a provider's.

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(u64);

        impl $name {
            /// Returns the id with that number.
            pub const fn new(number: u64) -> Self {
                Self(number)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(formatter)
            }
        }
    )*};
}

ids! {
    /// Id of a provider.
    ProviderId;
    /// Id of a circuit.
    CircuitId;
    /// Id of an event: a maintenance in one window.
    EventId;
    /// Id of the impact of an event on a circuit.
    ImpactId;
    /// Id of a mail, linked to an event or not.
    NotificationId;
}
