//! cloche-lens: the one thing between an instance's guest and the user's compositor. globals.txt says what it does.

mod activation;
mod args;
mod clipboard;
mod compositor;
mod data_device;
mod data_offer;
mod exporter;
mod flow;
mod front;
mod globals;
mod input;
mod naming;
mod output;
mod policy;
mod primary_selection;
mod registry;
mod security_context;
mod server;
mod session;
mod shm;
mod surface;
mod toplevel;

use std::{fs, io, os::fd::AsFd, os::unix::net::UnixStream, path::PathBuf, process::ExitCode};

use cloche_wayland::logger;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use signal_hook::consts::{SIGINT, SIGTERM};
use thiserror::Error;

use crate::{
    args::{Args, USAGE},
    compositor::{Compositor, CompositorError},
    front::{Front, FrontError},
    globals::{BUILT_IN, Globals, GlobalsError},
    policy::Policy,
    server::{Server, ServerError},
};

/// Open descriptors of the process.
const DESCRIPTORS: u64 = 16_384;

#[derive(Debug, Error)]
enum LensError {
    #[error("can't read the list of globals {0}")]
    ReadGlobals(PathBuf, #[source] io::Error),
    #[error("the list of globals is wrong")]
    Globals(#[from] GlobalsError),
    #[error("can't catch signals")]
    Signals(#[source] io::Error),
    #[error(transparent)]
    Compositor(#[from] CompositorError),
    #[error(transparent)]
    Front(#[from] FrontError),
    #[error(transparent)]
    Server(#[from] ServerError),
}

fn main() -> ExitCode {
    logger::install("cloche-lens");
    let args = match Args::parse(std::env::args_os().skip(1)) {
        Ok(args) => args,
        Err(error) => {
            eprintln!("cloche-lens: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cloche-lens: {}", logger::chain(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<(), LensError> {
    let globals = match &args.globals {
        Some(path) => &fs::read_to_string(path)
            .map_err(|error| LensError::ReadGlobals(path.clone(), error))?,
        None => BUILT_IN,
    };
    let policy = Policy {
        globals: Globals::parse(globals)?,
        name: args.instance,
        clipboard: args.clipboard,
    };
    let stop = catch_signals().map_err(LensError::Signals)?;
    set_descriptor_limit();
    let front = Front::open(&args.listen)?;
    let (compositor, door) = Compositor::open(args.compositor, &policy.name)?;
    if let Some(number) = args.ready {
        front::say_ready(number)?;
    }
    Ok(Server::new(policy, door).run(&front.listener, &compositor, stop.as_fd())?)
}

/// A socket that becomes readable when the lens is asked to end.
fn catch_signals() -> io::Result<UnixStream> {
    let (stop, asked) = UnixStream::pair()?;
    for signal in [SIGTERM, SIGINT] {
        signal_hook::low_level::pipe::register(signal, asked.try_clone()?)?;
    }
    Ok(stop)
}

/// Pools take a descriptor each, more than the usual soft limit of 1024 allows; without end, a guest could pile them up in the
/// kernel. A refusal leaves the limit as it was.
fn set_descriptor_limit() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let current = Some(maximum.map_or(DESCRIPTORS, |maximum| maximum.min(DESCRIPTORS)));
    let _ = setrlimit(Resource::Nofile, Rlimit { current, maximum });
}
