//! A failure that ends the machine: the stage it happened in, and what failed.

use std::fmt::Display;

#[derive(Debug)]
pub struct Failure {
    pub stage: &'static str,
    pub message: String,
}

/// Says in which stage an error happened.
pub trait AtStage<T> {
    fn at(self, stage: &'static str) -> Result<T, Failure>;
}

impl<T, E: Display> AtStage<T> for Result<T, E> {
    fn at(self, stage: &'static str) -> Result<T, Failure> {
        self.map_err(|error| Failure {
            stage,
            message: error.to_string(),
        })
    }
}
