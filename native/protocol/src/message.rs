//! JSON messages: strict both ways, and no longer than a frame.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::frame::{Frame, FrameError, Kind, encode};

#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    #[error("a frame of kind {0:?} came where a message was expected")]
    NotAMessage(Kind),
    #[error("a message is not valid: {0}")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// The message in a frame. Unknown types, unknown fields and invalid UTF-8 are errors.
pub fn parse<M: DeserializeOwned>(frame: &Frame) -> Result<M, MessageError> {
    match frame.kind {
        Kind::Json => Ok(serde_json::from_slice(&frame.payload)?),
        other => Err(MessageError::NotAMessage(other)),
    }
}

/// Appends a message as one frame.
pub fn append<M: Serialize>(message: &M, out: &mut Vec<u8>) -> Result<(), MessageError> {
    encode(Kind::Json, &serde_json::to_vec(message)?, out)?;
    Ok(())
}

#[cfg(test)]
mod tests;
