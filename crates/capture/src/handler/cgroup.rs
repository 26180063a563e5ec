//! What the path of a control group says: the unit of systemd, the container.

/// Digits of the id of a container, in all runtimes that follow Docker.
const ID_DIGITS: usize = 64;

/// The path of the control group in `/proc/PID/cgroup` (cgroups(7)): that of version 2, else
/// the one that systemd names.
pub(crate) fn path_in(text: &str) -> Option<&str> {
    let of = |wanted: &str| {
        text.lines().find_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            (controllers == wanted).then_some(path)
        })
    };
    let unified = of("").filter(|path| *path != "/");
    unified.or_else(|| of("name=systemd")).or_else(|| of("")).filter(|path| !path.is_empty())
}

/// The innermost service or scope: `web.service`.
pub(crate) fn unit_in(path: &str) -> Option<&str> {
    let is_unit = |part: &&str| {
        let stem = part.strip_suffix(".service").or_else(|| part.strip_suffix(".scope"));
        stem.is_some_and(|stem| !stem.is_empty())
    };
    path.rsplit('/').find(is_unit)
}

/// The 64 hexadecimal digits with which Docker, containerd, CRI-O and podman name a container:
/// `/docker/ID`, `…/docker-ID.scope`, `…/cri-containerd-ID.scope`, `…/libpod-ID.scope`.
pub(crate) fn container_in(path: &str) -> Option<&str> {
    path.rsplit('/').find_map(|part| {
        let part = part.strip_suffix(".scope").unwrap_or(part);
        let id = part.rsplit(['-', ':']).next()?;
        let is_id = id.len() == ID_DIGITS && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_id.then_some(id)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_of_a_service_is_its_innermost_part() {
        let path = path_in("0::/system.slice/web.service\n").unwrap();
        assert_eq!(unit_in(path), Some("web.service"));
        let session = "/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.scope";
        assert_eq!(unit_in(session), Some("app-x.scope"));
        assert_eq!(unit_in("/user.slice/.service"), None);
    }

    #[test]
    fn with_both_versions_the_tree_of_systemd_counts() {
        let text = "12:pids:/docker/x\n1:name=systemd:/system.slice/a.service\n0::/\n";
        assert_eq!(path_in(text), Some("/system.slice/a.service"));
        assert_eq!(path_in("nonsense"), None);
    }

    #[test]
    fn the_id_of_a_container_is_found_as_each_runtime_writes_it() {
        let id = "0123456789abcdef".repeat(4);
        for path in [
            format!("/docker/{id}"),
            format!("/system.slice/docker-{id}.scope"),
            format!("/kubepods.slice/kubepods-pod1.slice/cri-containerd-{id}.scope"),
            format!("/machine.slice/libpod-{id}.scope/container"),
            format!("/kubepods/besteffort/pod1/{id}"),
        ] {
            assert_eq!(container_in(&path), Some(id.as_str()), "{path}");
        }
        assert_eq!(container_in("/system.slice/web.service"), None);
    }
}
