//! Where a repository is: its own URL, or that of a list of mirrors, as dnf takes them (`baseurl`, `mirrorlist`).

use super::RpmError;
use crate::repository::Location;
use crate::target::Architecture;

/// What Amazon Linux 2023's own configuration files leave to be filled in, beside the processor: `dnf` takes it from
/// /etc/dnf/vars. Outside of AWS's network only the CDN is there, whose lists have none of them left.
const VARIABLES: [(&str, &str); 5] = [
    ("releasever", "latest"),
    ("awsproto", "https"),
    ("awsregion", "default"),
    ("awsdomain", "amazonaws.com"),
    ("dualstack", ""),
];

/// Fills in `$basearch` and the other variables of dnf, also where they are written `${basearch}`.
pub fn fill_in(text: &str, architecture: Architecture) -> String {
    let machine = architecture.machine_name();
    let of_machine = [("basearch", machine), ("arch", machine)];
    of_machine
        .into_iter()
        .chain(VARIABLES)
        .fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("${{{name}}}"), value)
                .replace(&format!("${name}"), value)
        })
}

/// Does a URL lead to a list of mirrors? Amazon's are called `mirror.list`, Fedora's are a program's answer.
pub fn is_mirror_list(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let name = path.rsplit('/').next().unwrap_or(path);
    ["mirror.list", "mirrorlist"].contains(&name) || name.ends_with(".list")
}

/// The repositories that a list of mirrors names, one a line, in its order.
pub fn mirrors(
    list: &str,
    from: &Location,
    architecture: Architecture,
) -> Result<Vec<String>, RpmError> {
    let lines = list.lines().map(str::trim);
    let mut found = Vec::new();
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let line = fill_in(line, architecture);
        let is_place = ["https://", "http://", "file://"]
            .iter()
            .any(|scheme| line.starts_with(scheme));
        if !is_place || line.contains(char::is_whitespace) {
            let begin: String = line.chars().take(60).collect();
            return Err(RpmError::NotUnderstood {
                place: from.to_string(),
                reason: format!("a list of mirrors has a URL a line, and no `{begin}`"),
            });
        }
        found.push(line.trim_end_matches('/').to_owned());
    }
    if found.is_empty() {
        return Err(RpmError::NotUnderstood {
            place: from.to_string(),
            reason: "the list of mirrors names none".to_owned(),
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Result<Vec<String>, String> {
        let from = Location::Url("https://cdn.example/mirror.list?key=secret".to_owned());
        mirrors(text, &from, Architecture::Arm64).map_err(|error| error.to_string())
    }

    #[test]
    fn a_list_names_repositories_with_what_dnf_fills_in() {
        let text = "# mirrors\nhttps://cdn.example/guids/ab/aarch64/\n\n$awsproto://m.$awsregion.$awsdomain/${basearch}\r\n";
        assert_eq!(
            list(text).unwrap(),
            [
                "https://cdn.example/guids/ab/aarch64",
                "https://m.default.amazonaws.com/aarch64"
            ]
        );
    }

    #[test]
    fn a_page_is_no_list_and_an_empty_one_says_so() {
        let error = list("<!DOCTYPE html>\n<html>").unwrap_err();
        assert!(error.contains("<!DOCTYPE html>"), "{error}");
        assert!(!error.contains("secret"), "{error}");
        assert!(list("# none\n").unwrap_err().contains("names none"));
    }

    #[test]
    fn a_list_is_known_by_its_name() {
        assert!(is_mirror_list(
            "https://cdn.example/latest/x86_64/mirror.list"
        ));
        assert!(is_mirror_list(
            "https://mirrors.example/mirrorlist?repo=epel-9"
        ));
        assert!(!is_mirror_list("https://mirror.example/al2023/x86_64/"));
    }
}
