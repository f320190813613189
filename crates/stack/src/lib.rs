//! A declared stack in AWS: its names, its desired resources, the rights that its operator needs, and its preconditions.

pub mod costs;
pub mod desired;
mod ec2;
mod existing;
mod making;
mod moves;
mod names;
pub mod policy;
pub mod preconditions;
mod purpose;
mod sizes;

pub use ec2::kinds_of_ec2;
pub use existing::{Existing, Found};
pub use making::{Making, makings};
pub use names::{Names, is_implied};
pub use purpose::{Purpose, Reading};
pub use sizes::oversized;
