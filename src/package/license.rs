//! R's way of naming licences, told in SPDX's: `GPL (>= 2)` is `GPL-2.0-or-later`.
//!
//! R's standard licences are those of `share/licenses/license.db`; what a package says beyond them has no SPDX name.

/// Licences that go by several names and one version, as R's packages write them.
const NAMED: [(&str, &str); 24] = [
    ("MIT", "MIT"),
    ("MIT License", "MIT"),
    ("BSD_2_clause", "BSD-2-Clause"),
    ("BSD 2-clause License", "BSD-2-Clause"),
    ("FreeBSD", "BSD-2-Clause"),
    ("BSD_3_clause", "BSD-3-Clause"),
    ("BSD 3-clause License", "BSD-3-Clause"),
    ("Apache License 2.0", "Apache-2.0"),
    ("Apache License (== 2.0)", "Apache-2.0"),
    ("Apache License (== 2)", "Apache-2.0"),
    ("Apache License (>= 2.0)", "Apache-2.0"),
    ("Apache License (>= 2)", "Apache-2.0"),
    ("Artistic-2.0", "Artistic-2.0"),
    ("BSL-1.0", "BSL-1.0"),
    ("CC0", "CC0-1.0"),
    ("CC BY 4.0", "CC-BY-4.0"),
    ("CC BY-SA 4.0", "CC-BY-SA-4.0"),
    ("CECILL-2.1", "CECILL-2.1"),
    ("EPL", "EPL-1.0"),
    ("EUPL-1.1", "EUPL-1.1"),
    ("EUPL-1.2", "EUPL-1.2"),
    ("MPL-2.0", "MPL-2.0"),
    ("Mozilla Public License 2.0", "MPL-2.0"),
    ("Zlib", "Zlib"),
];

/// Licences that are templates: the file that goes with them holds the year and the holder, and no other terms.
const TEMPLATES: [&str; 3] = ["MIT", "BSD_2_clause", "BSD_3_clause"];

/// GNU's families, by both of their names.
const GNU: [(&str, &str); 7] = [
    ("GPL", "GPL"),
    ("GNU General Public License", "GPL"),
    ("LGPL", "LGPL"),
    ("GNU Lesser General Public License", "LGPL"),
    ("GNU Library General Public License", "LGPL"),
    ("AGPL", "AGPL"),
    ("GNU Affero General Public License", "AGPL"),
];

/// What R itself is under, and every package that is part of it.
pub const R_LICENSE: &str = "GPL-2.0-or-later";

/// The SPDX expression of what a DESCRIPTION says of the licence, if there is one that says the same.
pub fn spdx_expression(license: &str) -> Option<String> {
    let text = license.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.starts_with("Part of R ") {
        return Some(R_LICENSE.to_owned());
    }
    let alternatives = text
        .split('|')
        .map(|one| spdx_id(one.trim()))
        .collect::<Option<Vec<_>>>()?;
    Some(alternatives.join(" OR "))
}

fn spdx_id(text: &str) -> Option<String> {
    if let Some((license, file)) = text.split_once('+') {
        let license = license.trim();
        let is_file = matches!(file.trim(), "file LICENSE" | "file LICENCE");
        return (is_file && TEMPLATES.contains(&license))
            .then(|| spdx_id(license))
            .flatten();
    }
    let named = NAMED.iter().find(|(name, _)| *name == text);
    named
        .map(|(_, id)| (*id).to_owned())
        .or_else(|| gnu_id(text))
}

/// `GPL-2`, `GPL (>= 2)`, `GPL (== 3)`, `GNU General Public License version 2`.
fn gnu_id(text: &str) -> Option<String> {
    GNU.iter().find_map(|(name, family)| {
        let rest = text.strip_prefix(name)?.trim();
        let rest = rest.strip_prefix("version").unwrap_or(rest).trim();
        let within = rest
            .strip_prefix('(')
            .and_then(|rest| rest.strip_suffix(')'));
        let (number, kind) = match within {
            Some(requirement) => match requirement.trim().split_once(' ')? {
                (">=", number) => (number, "or-later"),
                ("==", number) => (number, "only"),
                _ => return None,
            },
            None => (rest.strip_prefix('-').unwrap_or(rest), "only"),
        };
        let number = match number.trim() {
            "2" | "2.0" => "2.0",
            "2.1" => "2.1",
            "3" | "3.0" => "3.0",
            _ => return None,
        };
        let exists = match *family {
            "GPL" => number != "2.1",
            "AGPL" => number == "3.0",
            _ => true,
        };
        exists.then(|| format!("{family}-{number}-{kind}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_r_calls_a_licence_has_an_spdx_name() {
        for (license, spdx) in [
            ("GPL-2", "GPL-2.0-only"),
            ("GPL (>= 2)", "GPL-2.0-or-later"),
            ("GPL (>= 2.0)", "GPL-2.0-or-later"),
            ("GPL-2 | GPL-3", "GPL-2.0-only OR GPL-3.0-only"),
            ("GNU General Public License version 3", "GPL-3.0-only"),
            ("LGPL (>= 2.1)", "LGPL-2.1-or-later"),
            ("AGPL-3", "AGPL-3.0-only"),
            ("MIT + file LICENSE", "MIT"),
            ("MIT +\nfile LICENCE", "MIT"),
            ("BSD_3_clause + file LICENSE", "BSD-3-Clause"),
            ("Apache License (>= 2)", "Apache-2.0"),
            ("MPL-2.0 | GPL (>= 2)", "MPL-2.0 OR GPL-2.0-or-later"),
            ("Part of R 4.5.0", R_LICENSE),
        ] {
            assert_eq!(spdx_expression(license).as_deref(), Some(spdx), "{license}");
        }
    }

    #[test]
    fn what_has_other_terms_or_no_version_has_none() {
        for license in [
            "",
            "file LICENSE",
            "GPL",
            "GPL-2 + file LICENSE",
            "GPL (< 3)",
            "GPL-2.1",
            "AGPL-2",
            "Unlimited",
            "MIT + file LICENSE | Unlimited",
        ] {
            assert_eq!(spdx_expression(license), None, "{license}");
        }
    }
}
