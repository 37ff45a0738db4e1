//! Why the user may not open the device, and what would change that.

use std::fs;
use std::os::unix::fs::MetadataExt;

const GROUP_MAY_READ_AND_WRITE: u32 = 0o060;

pub fn in_words(device: &str) -> String {
    let group = fs::metadata(device)
        .ok()
        .filter(|metadata| metadata.mode() & GROUP_MAY_READ_AND_WRITE == GROUP_MAY_READ_AND_WRITE)
        .and_then(|metadata| group_name(&fs::read_to_string("/etc/group").ok()?, metadata.gid()));
    match group.as_deref() {
        Some(group) if group != "root" => format!(
            "you may not open {device}: it takes membership of the group {group}. \
             Join with `sudo usermod -aG {group} $USER`, then log in again"
        ),
        _ => format!(
            "you may not open {device}, nor may the group kvm. Give it to that group with \
             `sudo chgrp kvm {device} && sudo chmod g+rw {device}`, join with `sudo usermod -aG kvm $USER`, then log in again"
        ),
    }
}

/// group(5): name, password, id, members, separated by colons.
fn group_name(groups: &str, id: u32) -> Option<String> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::group_name;

    #[test]
    fn finds_a_group_by_its_id() {
        let groups = "root:x:0:\nbroken\nkvm:x:104:mary,qemu\n";
        assert_eq!(group_name(groups, 104).as_deref(), Some("kvm"));
        assert_eq!(group_name(groups, 105), None);
    }
}
