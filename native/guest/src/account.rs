//! Users of the image, read from /etc/passwd and /etc/group (a static binary has no name service).

use std::{fs, io};

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Account {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
    /// All groups, the first one included.
    pub groups: Vec<u32>,
    pub home: String,
    pub shell: String,
}

#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("cannot read {path}: {error}")]
    Read {
        path: &'static str,
        error: io::Error,
    },
    #[error("the image has no user {0}")]
    Unknown(String),
}

pub fn find(name: &str) -> Result<Account, AccountError> {
    let read = |path| fs::read_to_string(path).map_err(|error| AccountError::Read { path, error });
    let (passwd, group) = (read("/etc/passwd")?, read("/etc/group")?);
    parse(&passwd, &group, name).ok_or_else(|| AccountError::Unknown(name.to_owned()))
}

fn parse(passwd: &str, group: &str, name: &str) -> Option<Account> {
    passwd.lines().find_map(|line| {
        let [entry, _, uid, gid, _, home, shell] = fields(line)?;
        let (uid, gid) = (uid.parse().ok()?, gid.parse().ok()?);
        (entry == name).then(|| Account {
            name: name.to_owned(),
            uid,
            gid,
            groups: parse_groups(group, name, gid),
            home: home.to_owned(),
            shell: shell.to_owned(),
        })
    })
}

fn parse_groups(group: &str, name: &str, first: u32) -> Vec<u32> {
    let others = group.lines().filter_map(|line| -> Option<u32> {
        let [_, _, gid, members] = fields(line)?;
        members
            .split(',')
            .any(|member| member == name)
            .then(|| gid.parse().ok())?
    });
    let mut groups = vec![first];
    groups.extend(others.filter(|gid| *gid != first));
    groups
}

fn fields<const N: usize>(line: &str) -> Option<[&str; N]> {
    line.split(':').collect::<Vec<_>>().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str =
        "root:x:0:0:root:/root:/bin/bash\nbroken line\nuser:x:1000:1000:,,,:/home/user:/bin/bash\n";
    const GROUP: &str =
        "root:x:0:\nvideo:x:44:user,other\nusers:x:100:other\nuser:x:1000:user\nrender:x:no:user\n";

    #[test]
    fn a_user_has_the_groups_that_name_it() {
        let user = parse(PASSWD, GROUP, "user").expect("listed");
        assert_eq!(
            (user.uid, user.gid, user.groups),
            (1000, 1000, vec![1000, 44])
        );
        assert_eq!(
            (user.home.as_str(), user.shell.as_str()),
            ("/home/user", "/bin/bash")
        );
    }

    #[test]
    fn unknown_users_and_prefixes_of_names_are_not_found() {
        assert_eq!(parse(PASSWD, GROUP, "use"), None);
        assert_eq!(
            parse(PASSWD, "video:x:44:users\n", "user").map(|user| user.groups),
            Some(vec![1000])
        );
    }
}
