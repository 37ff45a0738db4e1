//! The portals of the guest's session bus: takes what programs ask, hands it to the host's broker, and hands the answers back.
//! It decides nothing: which interfaces there are, what a call may say and what comes of it is the broker's.

mod bus;
mod calls;
mod files;
mod front;
mod handles;
mod introspection;
mod link;
mod media;
mod serve;
mod value;

pub use media::Connect;
pub use serve::{PortalsError, serve};
