//! What one lens enforces for all clients of its instance.

use crate::{clipboard::Clipboard, globals::Globals, naming::InstanceName};

#[derive(Debug)]
pub struct Policy {
    pub globals: Globals,
    pub name: InstanceName,
    pub clipboard: Clipboard,
}
