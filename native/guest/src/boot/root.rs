//! Makes the image the root: erofs below, a tmpfs above, and nothing of the initramfs left.

use std::path::Path;
use std::{fs, io};

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::unistd::{chdir, chroot};

#[derive(Debug, thiserror::Error)]
pub enum RootError {
    #[error("cannot {what}: {errno}")]
    Call { what: &'static str, errno: Errno },
    #[error("cannot prepare the root: {0}")]
    Io(#[from] io::Error),
}

const LOWER: &str = "/lower";
const UPPER: &str = "/upper";
const ROOT: &str = "/newroot";
const NONE: Option<&str> = None;
/// PipeWire's module for video streams, where the initramfs has it.
const MEDIA_MODULE: &str = "/libpipewire-module-cloche-media.so";
/// Where the image's PipeWire, if it has one, looks for modules.
const MODULES: &str = "/usr/lib/x86_64-linux-gnu/pipewire-0.3";

pub fn switch_to(disk: &Path) -> Result<(), RootError> {
    for directory in [LOWER, UPPER, ROOT] {
        fs::create_dir_all(directory)?;
    }
    mount(Some(disk), LOWER, Some("erofs"), MsFlags::MS_RDONLY, NONE)
        .map_err(call("mount the image"))?;
    mount(
        Some("tmpfs"),
        UPPER,
        Some("tmpfs"),
        MsFlags::empty(),
        Some("mode=0755"),
    )
    .map_err(call("mount the upper layer"))?;
    fs::create_dir(format!("{UPPER}/data"))?;
    fs::create_dir(format!("{UPPER}/work"))?;
    let layers = format!("lowerdir={LOWER},upperdir={UPPER}/data,workdir={UPPER}/work");
    mount(
        Some("overlay"),
        ROOT,
        Some("overlay"),
        MsFlags::empty(),
        Some(layers.as_str()),
    )
    .map_err(call("mount the overlay"))?;
    for directory in ["/proc", "/sys", "/dev"] {
        let target = format!("{ROOT}{directory}");
        fs::create_dir_all(&target)?;
        mount(
            Some(directory),
            target.as_str(),
            NONE,
            MsFlags::MS_MOVE,
            NONE,
        )
        .map_err(call("move a mount"))?;
    }
    let modules = format!("{ROOT}{MODULES}");
    if Path::new(&modules).is_dir() {
        fs::copy(MEDIA_MODULE, format!("{modules}{MEDIA_MODULE}"))?;
    }
    // The overlay holds both layers; no name leads to them from here on.
    umount2(LOWER, MntFlags::MNT_DETACH).map_err(call("let go of the image"))?;
    umount2(UPPER, MntFlags::MNT_DETACH).map_err(call("let go of the upper layer"))?;
    fs::remove_dir_all("/modules")?;
    for file in ["/init", MEDIA_MODULE] {
        fs::remove_file(file)?;
    }
    chdir(ROOT).map_err(call("enter the root"))?;
    mount(Some("."), "/", NONE, MsFlags::MS_MOVE, NONE).map_err(call("move the root"))?;
    chroot(".").map_err(call("change the root"))?;
    chdir("/").map_err(call("enter the root"))
}

fn call(what: &'static str) -> impl Fn(Errno) -> RootError {
    move |errno| RootError::Call { what, errno }
}
