//! The package that a request in a list is about.

use crate::package::is_package_name;

/// The name of the package that a request is about, as far as its text says: `dplyr>=1.1` is about `dplyr`,
/// `github::igraph/rigraph@v2` and `git+https://host/rigraph.git` about `rigraph`, `igraph=igraph/rigraph` about
/// `igraph`, and `../igraph_2.0.tar.gz` about `igraph`.
pub fn requested_package(request: &str) -> &str {
    let request = request.trim();
    if let Some((name, rest)) = request.split_once('=')
        && is_package_name(name)
        && !rest.starts_with('=')
    {
        return name;
    }
    let is_place = request.contains("::")
        || request.contains('/')
        || request.contains('\\')
        || request.ends_with(".tar.gz");
    if is_place {
        return name_of_place(request);
    }
    let end = request.find(|c: char| "<>=!@ (".contains(c));
    &request[..end.unwrap_or(request.len())]
}

fn name_of_place(place: &str) -> &str {
    let place = place.split_once("::").map_or(place, |(_, rest)| rest);
    let is_shorthand = !place.contains("://") && !place.starts_with(['.', '/', '~', '\\']);
    // What stands behind the last `/` may have an `@ref`; what stands before it may be `git@host`.
    let place = place.split(['#', '?']).next().unwrap_or_default();
    let scheme_end = place.find("://").map_or(0, |at| at + 3);
    let user_end = place[scheme_end..]
        .find('/')
        .map_or(place.len(), |at| scheme_end + at);
    let reference = place[user_end..].find('@').map(|at| user_end + at);
    let place = place[..reference.unwrap_or(place.len())].trim_end_matches(['/', '\\']);
    let parts: Vec<&str> = place.split(['/', '\\']).collect();
    let last = match parts.as_slice() {
        // `owner/repo/folder`: the repository has the name.
        [_, repository, ..] if is_shorthand && place.len() > scheme_end => repository,
        [.., last] => last,
        [] => place,
    };
    let last = last.trim_end_matches(".tar.gz").trim_end_matches(".git");
    last.split('_').next().unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_tells_the_name_of_its_package() {
        for (request, name) in [
            ("Matrix", "Matrix"),
            (" dplyr >= 1.1", "dplyr"),
            ("dplyr>=1.1,<2", "dplyr"),
            ("data.table==1.15.0", "data.table"),
            ("cli!=3.0", "cli"),
            ("cli (>= 3.0)", "cli"),
            ("cli@3.0", "cli"),
            ("github::r-lib/cli@v3.6.0", "cli"),
            ("github::dmlc/xgboost/R-package@v1", "xgboost"),
            ("igraph=igraph/rigraph", "igraph"),
            ("igraph=github::igraph/rigraph@v2", "igraph"),
            ("git+https://git.example/group/pkg.git@main", "pkg"),
            ("git+https://ann@git.example/pkg@feature/x", "pkg"),
            ("git::git@github.com:r-lib/cli.git", "cli"),
            ("url::https://host.example/src/pkg_1.2-3.tar.gz", "pkg"),
            ("https://host.example/pkg_1.2.tar.gz?x=1", "pkg"),
            ("../pkg_1.2.tar.gz", "pkg"),
            ("./local/pkg/", "pkg"),
            ("pkg_1.2.tar.gz", "pkg"),
        ] {
            assert_eq!(requested_package(request), name, "{request}");
        }
    }
}
