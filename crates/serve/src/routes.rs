//! What can be asked: each address with its method, who may, and what the description of the
//! API says of it.

use crate::http::Method;
use crate::users::Role;

/// What a request is answered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Dashboard,
    Group,
    ChangeGroup,
    Crash,
    AskReveal,
    Reveal,
    Compare,
    Builds,
    AskQuery,
    Query,
    Audit,
    AskLogin,
    Login,
    Logout,
    AskShared,
    OpenShared,
    Share,
    Feed,
    Style,
    Script,
    ApiDescription,
    ApiGroups,
    ApiGroup,
    ApiChangeGroup,
    ApiDumps,
    ApiDump,
    ApiReveal,
    ApiBuilds,
    ApiQuery,
    ApiSeries,
    ApiSearch,
    ApiAudit,
}

/// One address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    pub(crate) method: Method,
    /// Parts between slashes; `{id}` is any one.
    pub(crate) path: &'static str,
    pub(crate) action: Action,
    /// Who may at least; `None` is everybody who can connect.
    pub(crate) least: Option<Role>,
}

const fn route(method: Method, path: &'static str, action: Action, least: Option<Role>) -> Route {
    Route { method, path, action, least }
}

const VIEWER: Option<Role> = Some(Role::Viewer);
const ANALYST: Option<Role> = Some(Role::Analyst);
const OWNER: Option<Role> = Some(Role::Owner);

/// All of them.
pub(crate) const ROUTES: &[Route] = &[
    route(Method::Get, "/", Action::Dashboard, VIEWER),
    route(Method::Get, "/groups/{id}", Action::Group, VIEWER),
    route(Method::Post, "/groups/{id}", Action::ChangeGroup, ANALYST),
    route(Method::Post, "/groups/{id}/share", Action::Share, ANALYST),
    route(Method::Get, "/crashes/{id}", Action::Crash, VIEWER),
    route(Method::Get, "/crashes/{id}/reveal", Action::AskReveal, OWNER),
    route(Method::Post, "/crashes/{id}/reveal", Action::Reveal, OWNER),
    route(Method::Get, "/compare", Action::Compare, VIEWER),
    route(Method::Get, "/builds", Action::Builds, VIEWER),
    route(Method::Get, "/query", Action::AskQuery, ANALYST),
    route(Method::Post, "/query", Action::Query, ANALYST),
    route(Method::Get, "/audit", Action::Audit, OWNER),
    route(Method::Get, "/login", Action::AskLogin, None),
    route(Method::Post, "/login", Action::Login, None),
    route(Method::Post, "/logout", Action::Logout, VIEWER),
    route(Method::Get, "/shared", Action::AskShared, None),
    route(Method::Post, "/shared", Action::OpenShared, None),
    route(Method::Get, "/feed.atom", Action::Feed, VIEWER),
    route(Method::Get, "/assets/style.css", Action::Style, None),
    route(Method::Get, "/assets/page.js", Action::Script, None),
    route(Method::Get, "/api/v1/openapi.json", Action::ApiDescription, None),
    route(Method::Get, "/api/v1/groups", Action::ApiGroups, VIEWER),
    route(Method::Get, "/api/v1/groups/{id}", Action::ApiGroup, VIEWER),
    route(Method::Patch, "/api/v1/groups/{id}", Action::ApiChangeGroup, ANALYST),
    route(Method::Get, "/api/v1/dumps", Action::ApiDumps, VIEWER),
    route(Method::Get, "/api/v1/dumps/{id}", Action::ApiDump, VIEWER),
    route(Method::Post, "/api/v1/dumps/{id}/reveal", Action::ApiReveal, OWNER),
    route(Method::Get, "/api/v1/builds", Action::ApiBuilds, VIEWER),
    route(Method::Post, "/api/v1/query", Action::ApiQuery, ANALYST),
    route(Method::Get, "/api/v1/series", Action::ApiSeries, VIEWER),
    route(Method::Get, "/api/v1/search", Action::ApiSearch, VIEWER),
    route(Method::Get, "/api/v1/audit", Action::ApiAudit, OWNER),
];

/// What an address stands for.
#[derive(Clone, Debug)]
pub(crate) enum Matched {
    /// A route, and the part of the path that it leaves open.
    Route(Route, String),
    /// Only these methods.
    Methods(Vec<&'static str>),
    /// Nothing.
    Nothing,
}

/// Whether the address is one of the API.
pub(crate) fn is_api(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

/// The route of a request.
pub(crate) fn find(method: Method, path: &str) -> Matched {
    let mut methods = Vec::new();
    for route in ROUTES {
        let Some(id) = matches(route.path, path) else { continue };
        if route.method == method {
            return Matched::Route(*route, id);
        }
        methods.push(route.method.word());
        if route.method == Method::Get {
            methods.push("HEAD");
        }
    }
    if methods.is_empty() { Matched::Nothing } else { Matched::Methods(methods) }
}

/// The open part of the path, decoded; empty if there is none.
fn matches(pattern: &str, path: &str) -> Option<String> {
    let (mut patterns, mut parts) = (pattern.split('/'), path.split('/'));
    let mut id = String::new();
    loop {
        match (patterns.next(), parts.next()) {
            (None, None) => return Some(id),
            (Some("{id}"), Some(part)) => id = decoded(part).filter(|id| !id.is_empty())?,
            (Some(pattern), Some(part)) if pattern == part => {}
            _ => return None,
        }
    }
}

/// A part of a path without its escapes; `None` if it is not text.
fn decoded(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let (high, low) = (digit(rest.next())?, digit(rest.next())?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_route_with_its_open_part() {
        for (method, path, wanted) in [
            (Method::Get, "/", Some((Action::Dashboard, ""))),
            (Method::Get, "/groups/0a1b", Some((Action::Group, "0a1b"))),
            (Method::Get, "/groups/a%2Fb%20c", Some((Action::Group, "a/b c"))),
            (Method::Get, "/groups/", None),
            (Method::Get, "/groups/%ff", None),
            (Method::Get, "/groups/%2", None),
            (Method::Get, "/groups/a/b", None),
            (Method::Get, "//", None),
            (Method::Get, "", None),
            (Method::Patch, "/api/v1/groups/x", Some((Action::ApiChangeGroup, "x"))),
        ] {
            let found = match find(method, path) {
                Matched::Route(route, id) => Some((route.action, id)),
                _ => None,
            };
            let wanted = wanted.map(|(action, id)| (action, id.to_owned()));
            assert_eq!(found, wanted, "{path}");
        }
        let Matched::Methods(methods) = find(Method::Post, "/api/v1/groups") else { panic!() };
        assert_eq!(methods, ["GET", "HEAD"]);
    }

    #[test]
    fn what_changes_or_reveals_needs_more_than_a_viewer() {
        for route in ROUTES.iter().filter(|route| route.method != Method::Get) {
            let is_of_session =
                matches!(route.action, Action::Login | Action::Logout | Action::OpenShared);
            assert!(is_of_session || route.least >= Some(Role::Analyst), "{}", route.path);
        }
        for route in ROUTES.iter().filter(|route| route.path.contains("reveal")) {
            assert_eq!(route.least, Some(Role::Owner), "{}", route.path);
        }
        let open = |route: &&Route| route.least.is_none() && route.method == Method::Get;
        let open: Vec<&str> = ROUTES.iter().filter(open).map(|route| route.path).collect();
        assert_eq!(
            open,
            ["/login", "/shared", "/assets/style.css", "/assets/page.js", "/api/v1/openapi.json"]
        );
    }
}
