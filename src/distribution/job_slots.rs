//! The cores of this machine, shared by all compilations that run at once: GNU make's jobserver, over a named pipe.
//!
//! Each slot is a byte in the pipe; whoever runs a compiler beyond its first takes one out, and puts it back. So the last
//! compilation, which is often the longest, has all cores, and many at once do not have them many times over.
//! Source: GNU make's manual, "POSIX Jobserver Interaction".

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use crate::cache::{Cache, CacheError, Unfinished};
use crate::os;

/// A pipe with a slot a core. It is gone when this is dropped.
#[derive(Debug)]
pub struct JobSlots {
    /// Held open, as the slots in it are lost when nobody does.
    pipe: File,
    path: PathBuf,
    _folder: Unfinished,
}

impl JobSlots {
    /// So many slots; nothing where the system has no such pipes.
    pub fn new(jobs: usize, cache: &Cache) -> Result<Option<JobSlots>, CacheError> {
        let folder = cache.unfinished()?;
        let path = folder.path().join("job-slots");
        let Ok(Some(mut pipe)) = os::named_pipe(&path) else {
            return Ok(None);
        };
        // A pipe that holds fewer has enough.
        let _ = pipe.write(&vec![b'+'; jobs]);
        Ok(Some(JobSlots {
            pipe,
            path,
            _folder: folder,
        }))
    }

    /// Where the pipe is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The slot of a compilation that begins. If others have all of them it begins without one: they give some back soon.
    pub fn take(&self) -> Option<JobSlot<'_>> {
        let taken = (&self.pipe).read(&mut [0]);
        taken.is_ok_and(|count| count == 1).then(|| JobSlot(self))
    }
}

/// A slot that was taken; dropped, it is there again.
#[derive(Debug)]
pub struct JobSlot<'a>(&'a JobSlots);

impl Drop for JobSlot<'_> {
    fn drop(&mut self) {
        // It was in the pipe before, so that there is room for it.
        let _ = (&self.0.pipe).write(b"+");
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;

    use super::*;

    fn slots(jobs: usize) -> (tempfile::TempDir, JobSlots) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().to_owned()).unwrap();
        let slots = JobSlots::new(jobs, &cache).unwrap().unwrap();
        (folder, slots)
    }

    #[test]
    fn a_slot_that_was_taken_is_there_again_when_it_is_dropped() {
        let (_folder, slots) = slots(2);
        let (one, two) = (slots.take(), slots.take());
        assert!(one.is_some() && two.is_some());
        assert!(slots.take().is_none());
        drop(one);
        let again = slots.take();
        assert!(again.is_some() && slots.take().is_none());
    }

    #[test]
    fn make_runs_as_many_at_once_as_there_are_slots_and_itself() {
        let (_folder, slots) = slots(3);
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<String> = (0..12).map(|number| format!("t{number}")).collect();
        // Each says how many are under way while it is.
        let makefile = format!(
            "all: {names}\n{names}:\n\t@touch run-$@; sleep 0.2; ls run-* | wc -l >>counts; rm run-$@\n",
            names = names.join(" ")
        );
        fs_err::write(folder.path().join("Makefile"), makefile).unwrap();
        let _own = slots.take();
        let script = "exec 8<>\"$1\"; MAKEFLAGS='-j --jobserver-auth=8,8' make";
        let mut make = Command::new("/bin/sh");
        make.args(["-c", script, "sh"]).arg(slots.path());
        let output = make.current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let counts = fs_err::read_to_string(folder.path().join("counts")).unwrap();
        let most = counts
            .lines()
            .filter_map(|line| line.trim().parse::<usize>().ok())
            .max();
        assert_eq!(most, Some(3), "{counts}");
    }
}
