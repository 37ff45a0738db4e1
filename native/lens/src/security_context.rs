//! A socket through which the compositor knows the guest's clients as sandboxed (wp_security_context_v1).

use std::{
    fs::{self, DirBuilder},
    io,
    os::{
        fd::OwnedFd,
        unix::{fs::DirBuilderExt, net::UnixListener},
    },
    process,
    rc::Rc,
    time::{SystemTime, UNIX_EPOCH},
};

use rustix::{
    fs::{Mode, OFlags, open},
    pipe::{PipeFlags, pipe_with},
};
use wl_proxy::{
    object::ObjectError,
    protocols::{
        security_context_v1::wp_security_context_manager_v1::WpSecurityContextManagerV1,
        wayland::wl_registry::WlRegistry,
    },
    state::State,
};

use crate::{
    compositor::{CompositorError, Door},
    naming::InstanceName,
};

const ENGINE: &str = "org.cloche";

/// Asks for a context by the global's name; it holds once the compositor has answered a later round trip.
pub fn create(
    state: &Rc<State>,
    registry: &Rc<WlRegistry>,
    global: u32,
    name: &InstanceName,
) -> Result<Door, CompositorError> {
    let (listener, socket) = hidden_socket().map_err(CompositorError::Context)?;
    let (watched, close) =
        pipe_with(PipeFlags::CLOEXEC).map_err(|error| CompositorError::Context(error.into()))?;
    request(state, registry, global, name, (listener, watched)).map_err(CompositorError::Send)?;
    Ok(Door::Sandboxed {
        socket,
        _close: close,
    })
}

fn request(
    state: &Rc<State>,
    registry: &Rc<WlRegistry>,
    global: u32,
    name: &InstanceName,
    (listener, watched): (OwnedFd, OwnedFd),
) -> Result<(), ObjectError> {
    let manager: Rc<WpSecurityContextManagerV1> = state.create_object(1);
    registry.try_send_bind(global, manager.clone())?;
    let context = manager.new_try_send_create_listener(&Rc::new(listener), &Rc::new(watched))?;
    context.try_send_set_sandbox_engine(ENGINE)?;
    context.try_send_set_app_id(&name.app_id())?;
    context.try_send_set_instance_id(&name.id())?;
    context.try_send_commit()?;
    context.try_send_destroy()?;
    manager.try_send_destroy()
}

/// A listening socket, and a descriptor to connect to it by: its name is gone before anyone else can use it.
fn hidden_socket() -> io::Result<(OwnedFd, OwnedFd)> {
    let nanoseconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.subsec_nanos());
    let directory =
        std::env::temp_dir().join(format!("cloche-lens-{}-{nanoseconds}", process::id()));
    DirBuilder::new().mode(0o700).create(&directory)?;
    let path = directory.join("socket");
    let made = UnixListener::bind(&path).and_then(|listener| {
        let socket = open(
            &path,
            OFlags::PATH | OFlags::CLOEXEC | OFlags::NOFOLLOW,
            Mode::empty(),
        )?;
        Ok((listener.into(), socket))
    });
    let removed = fs::remove_dir_all(&directory);
    made.and_then(|sockets| removed.map(|()| sockets))
}

#[cfg(test)]
mod tests {
    use std::{io::Read, os::unix::net::UnixStream};

    use super::*;

    #[test]
    fn a_hidden_socket_is_reached_by_its_descriptor_alone() {
        let (listener, socket) = hidden_socket().expect("socket");
        let (_watched, close) = pipe_with(PipeFlags::CLOEXEC).expect("pipe");
        let door = Door::Sandboxed {
            socket,
            _close: close,
        };
        let client = UnixStream::from(door.connect().expect("connected"));
        let (mut server, address) = UnixListener::from(listener).accept().expect("accepted");
        assert!(address.is_unnamed());
        drop(client);
        assert_eq!(server.read(&mut [0]).expect("end"), 0);
    }
}
