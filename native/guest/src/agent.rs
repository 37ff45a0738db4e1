//! The agent: takes the instance's identity from the host, sets the session up, serves exec, ends the machine.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, chown};
use std::sync::Arc;
use std::time::Duration;

use cloche_protocol::control::{Configuration, ControlFromGuest, ControlToGuest};

use crate::account::{self, Account};
use crate::environment::{self, RUNTIME_DIRECTORY};
use crate::failure::{AtStage, Failure};
use crate::link::{Link, LinkError};
use crate::reaper::Reaper;
use crate::session::{Sessions, Users};
use crate::timeline::Timeline;
use crate::{
    bus, console, identity, network, portals, power_button, session, shares, shutdown, wayland, x11,
};

/// What processes are given to end when the host is gone.
const ORPHAN_GRACE: Duration = Duration::from_secs(2);
/// And when the power button was pressed.
const BUTTON_GRACE: Duration = Duration::from_secs(10);

/// Runs until the machine ends. `warnings` are what went wrong while it started.
pub fn run(mut timeline: Timeline, warnings: &[String]) -> ! {
    let connected = Reaper::start()
        .at("agent")
        .and_then(|reaper| Ok((reaper, Link::connect().at("link")?)));
    let (reaper, mut link) = match connected {
        Ok(connected) => connected,
        Err(failure) => {
            console::say(failure.stage, &failure.message);
            shutdown::power_off()
        }
    };
    timeline.mark("link");
    match serve(&mut link, &reaper, timeline, warnings) {
        Ok((sessions, grace)) => shutdown::end_machine(&reaper, Some(&sessions), grace),
        Err(failure) => {
            console::say(failure.stage, &failure.message);
            link.say_failed(failure.stage, &failure.message);
            shutdown::end_machine(&reaper, None, ORPHAN_GRACE)
        }
    }
}

/// From hello to the reason for the end: the sessions there are, and the time they get.
fn serve(
    link: &mut Link,
    reaper: &Reaper,
    mut timeline: Timeline,
    warnings: &[String],
) -> Result<(Arc<Sessions>, Duration), Failure> {
    link.say_hello().at("link")?;
    for warning in warnings {
        link.log().warn(warning);
    }
    let configuration = match link.receive().at("configure")? {
        ControlToGuest::Configure(configuration) => configuration,
        ControlToGuest::Shutdown { .. } => {
            return Err(LinkError::Unexpected("shutdown")).at("configure");
        }
    };
    timeline.mark("configure");
    let (sessions, renderer) = set_up(link, reaper, &configuration, &mut timeline)?;
    timeline.mark("ready");
    let (all, everyone) = (reaper.clone(), sessions.clone());
    let end = move || {
        console::say("power button", "pressed");
        shutdown::end_machine(&all, Some(&everyone), BUTTON_GRACE)
    };
    power_button::watch(end).at("session")?;
    link.send(&ControlFromGuest::Ready {
        timings: timeline.into_stages(),
        renderer,
    })
    .at("link")?;
    let grace = match link.receive() {
        Ok(ControlToGuest::Shutdown { grace_ms }) => Duration::from_millis(grace_ms.into()),
        Ok(ControlToGuest::Configure(_)) => ended_by(&LinkError::Unexpected("configure")),
        Err(error) => ended_by(&error),
    };
    Ok((sessions, grace))
}

fn ended_by(error: &LinkError) -> Duration {
    console::say("link", &error.to_string());
    ORPHAN_GRACE
}

fn set_up(
    link: &Link,
    reaper: &Reaper,
    configuration: &Configuration,
    timeline: &mut Timeline,
) -> Result<(Arc<Sessions>, Option<String>), Failure> {
    identity::take(configuration).at("identity")?;
    network::bring_up_loopback().at("network")?;
    if let Some(settings) = &configuration.network {
        network::configure(settings).at("network")?;
    }
    timeline.mark("identity");
    let (user, root) = (
        account::find("user").at("session")?,
        account::find("root").at("session")?,
    );
    make_runtime_directory(&user).at("session")?;
    shares::mount_all(&configuration.mounts).at("mounts")?;
    timeline.mark("mounts");
    let has_x11 = configuration.windows && x11::is_installed();
    let users = Users::new(user, root, has_x11, &configuration.environment);
    let renderer = start_session(link, reaper, configuration, &users, timeline)?;
    if has_x11 {
        x11::start(reaper, link.log(), &users).at("display")?;
    }
    let sessions = session::listen(reaper.clone(), users, link.log().clone()).at("session")?;
    Ok((sessions, renderer))
}

/// What programs draw with, if they can show windows.
fn start_session(
    link: &Link,
    reaper: &Reaper,
    configuration: &Configuration,
    users: &Users,
    timeline: &mut Timeline,
) -> Result<Option<String>, Failure> {
    let bus = bus::start(reaper, link.log(), users).at("bus")?;
    let display = configuration.windows;
    let display = display.then(|| wayland::start(reaper, link.log(), &users.user));
    let display = display.transpose().at("display")?;
    bus.wait_until_ready().at("bus")?;
    timeline.mark("bus");
    if configuration.portals {
        let portals = portals::start(reaper, link.log(), users).at("portals")?;
        portals.wait_until_ready().at("portals")?;
        timeline.mark("portals");
    }
    let Some(display) = display else {
        return Ok(None);
    };
    display.wait_until_ready().at("display")?;
    timeline.mark("display");
    Ok(Some(wayland::name_renderer()))
}

fn make_runtime_directory(user: &Account) -> std::io::Result<()> {
    fs::create_dir_all(environment::RUNTIME_PARENT)?;
    fs::DirBuilder::new()
        .mode(0o700)
        .create(RUNTIME_DIRECTORY)?;
    chown(RUNTIME_DIRECTORY, Some(user.uid), Some(user.gid))
}
