//! `r-layer doctor`: what this machine can do, what is missing for the rest, and what to type.

mod install;
mod machine;
mod network;

use std::fmt;

use serde::Serialize;

use crate::cli::DoctorArgs;
use crate::target::Architecture;
use install::Installer;
use machine::Machine;

/// How something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Status {
    /// As it should be.
    Ok,
    /// Not there, or not as it should be.
    Missing,
    /// Not looked at.
    Skipped,
}

/// Something that was looked at.
#[derive(Clone, Debug, Serialize)]
struct Check {
    name: String,
    status: Status,
    /// What was found, or what is wrong.
    found: String,
    /// What to type, or to do, where something is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Check {
    fn ok(name: impl Into<String>, found: impl Into<String>) -> Check {
        Check {
            name: name.into(),
            status: Status::Ok,
            found: found.into(),
            remedy: None,
        }
    }

    fn missing(
        name: impl Into<String>,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Check {
        Check {
            name: name.into(),
            status: Status::Missing,
            found: found.into(),
            remedy: Some(remedy.into()),
        }
    }

    fn skipped(name: impl Into<String>) -> Check {
        Check {
            name: name.into(),
            status: Status::Skipped,
            found: "not asked".to_owned(),
            remedy: None,
        }
    }

    fn is_missing(&self) -> bool {
        self.status == Status::Missing
    }
}

/// A kind of work, and what keeps this machine from it.
#[derive(Clone, Debug, Serialize)]
struct Work {
    work: &'static str,
    #[serde(skip)]
    title: String,
    possible: bool,
    /// Names of the checks that failed.
    missing: Vec<String>,
}

impl Work {
    fn of<'a>(
        work: &'static str,
        title: impl Into<String>,
        needs: impl IntoIterator<Item = &'a Check>,
    ) -> Work {
        let missing = needs.into_iter().filter(|check| check.is_missing());
        let mut missing: Vec<String> = missing.map(|check| check.name.clone()).collect();
        missing.dedup();
        Work {
            work,
            title: title.into(),
            possible: missing.is_empty(),
            missing,
        }
    }
}

/// What was found out, as it is printed.
#[derive(Debug, Serialize)]
pub struct Diagnosis {
    works: Vec<Work>,
    checks: Vec<Check>,
}

/// Looks at the machine, and asks the servers.
pub async fn run(args: DoctorArgs) -> Diagnosis {
    let installer = Installer::of_this_machine();
    let (machine, network) = tokio::join!(
        Machine::look(&installer),
        network::look(&installer, args.offline)
    );
    let mut works = vec![Work::of(
        "pack",
        "fetch R and packages, pack layers",
        machine.needed_to_pack().chain(network.needed_to_fetch()),
    )];
    works.push(Work::of(
        "compile",
        "compile R in a Debian root",
        machine.needed_to_compile(),
    ));
    works.push(Work::of(
        "compile-in-container",
        "compile R in a container",
        [&machine.engine],
    ));
    for architecture in Architecture::ALL {
        let (work, title) = match architecture {
            Architecture::X86_64 => ("invoke-x86_64", "invoke handlers of x86_64 layers"),
            Architecture::Arm64 => ("invoke-arm64", "invoke handlers of arm64 layers"),
        };
        works.push(Work::of(
            work,
            title,
            machine.needed_to_invoke(architecture, network.has_images()),
        ));
    }
    works.push(Work::of(
        "publish",
        "publish to AWS (credentials are looked for, not tried)",
        [&machine.credentials],
    ));
    let checks = machine.into_checks().chain(network.into_checks()).collect();
    Diagnosis { works, checks }
}

impl Diagnosis {
    /// Can this machine fetch and pack, which is the least that is needed?
    pub fn is_well(&self) -> bool {
        self.works
            .iter()
            .any(|work| work.work == "pack" && work.possible)
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "this machine can")?;
        for work in &self.works {
            let mark = if work.possible { "yes" } else { "no " };
            write!(f, "  {mark}  {}", work.title)?;
            match work.missing.as_slice() {
                [] => writeln!(f)?,
                missing => writeln!(f, ": missing {}", missing.join(", "))?,
            }
        }
        writeln!(f, "\nwhat was looked at")?;
        let longest = self.checks.iter().map(|check| check.name.chars().count());
        let width = longest.max().unwrap_or(0);
        for check in &self.checks {
            let mark = match check.status {
                Status::Ok => "ok ",
                Status::Missing => "no ",
                Status::Skipped => "-  ",
            };
            writeln!(f, "  {mark}  {:<width$}  {}", check.name, check.found)?;
            if let Some(remedy) = &check.remedy {
                writeln!(f, "       {:<width$}  → {remedy}", "")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_work_is_possible_when_nothing_that_it_needs_is_missing() {
        let (there, skipped) = (Check::ok("a", "there"), Check::skipped("b"));
        let missing = Check::missing("c", "not there", "type: get c");
        assert!(Work::of("pack", "", [&there, &skipped]).possible);
        let work = Work::of("pack", "", [&there, &missing]);
        assert_eq!((work.possible, work.missing), (false, vec!["c".to_owned()]));
    }
}
