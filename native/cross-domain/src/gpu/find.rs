//! Which render nodes the machine has: the one that leads to the host's Wayland, and one that draws.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{CROSS_DOMAIN, RenderNode};

const DRIVER: &str = "virtio_gpu";
/// Capability sets that draw: virgl, virgl2, gfxstream, venus, drm.
const DRAWING_SETS: u32 = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 6;

/// Said of a machine in which programs draw on the CPU.
pub const SOFTWARE: &str = "software (no GPU in the guest)";

struct Node {
    path: PathBuf,
    driver: String,
    description: String,
    capability_sets: u32,
}

/// The render node with a cross-domain context, if there is one in `directory` (/dev/dri).
pub fn find_cross_domain(directory: &Path) -> Option<PathBuf> {
    let is_cross_domain = |node: &Node| node.capability_sets & 1 << CROSS_DOMAIN != 0;
    let found = nodes(directory).into_iter().find(is_cross_domain)?;
    Some(found.path)
}

/// What programs in the machine draw with: a GPU by its driver's words, or the CPU.
pub fn name_renderer(directory: &Path) -> String {
    let draws = |node: &Node| node.driver != DRIVER || node.capability_sets & DRAWING_SETS != 0;
    let found = nodes(directory).into_iter().find(draws);
    found.map_or(SOFTWARE.to_owned(), |node| {
        format!("{} ({})", node.description, node.driver)
    })
}

fn nodes(directory: &Path) -> Vec<Node> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let is_render = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("renderD"))
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(is_render);
    paths.sort();
    paths
        .into_iter()
        .filter_map(|path| look(path).ok())
        .collect()
}

fn look(path: PathBuf) -> io::Result<Node> {
    let node = RenderNode::open(&path)?;
    let (driver, description) = node.driver()?;
    let capability_sets = match driver.as_str() {
        DRIVER => node.capability_sets()?,
        _ => 0,
    };
    Ok(Node {
        path,
        driver,
        description,
        capability_sets,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_nodes_there_is_no_way_out_and_the_cpu_draws() {
        let nowhere = Path::new("/nonexistent");
        assert_eq!(find_cross_domain(nowhere), None);
        assert_eq!(name_renderer(nowhere), SOFTWARE);
        assert_eq!(find_cross_domain(Path::new("/dev")), None);
    }
}
