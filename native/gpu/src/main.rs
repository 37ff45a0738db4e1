//! cloche-gpu: the virtio-gpu device of an instance, in a process of its own.

use std::process::ExitCode;

use cloche_gpu::{
    args::{Args, USAGE},
    serve::serve,
};
use cloche_wayland::logger;

fn main() -> ExitCode {
    logger::install("cloche-gpu");
    let args = match Args::parse(std::env::args_os().skip(1)) {
        Ok(args) => args,
        Err(error) => {
            eprintln!("cloche-gpu: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match serve(&args.listen, &args.wayland, args.window_bytes) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cloche-gpu: {}", logger::chain(&error));
            ExitCode::FAILURE
        }
    }
}
