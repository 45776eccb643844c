//! The code folder, watched: which changes are changes of the function, and when they are complete.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use notify::event::{AccessKind, AccessMode};
use notify::{Config, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

/// Changes belong together if no more time than this lies between them.
const QUIET: Duration = Duration::from_millis(100);

/// How long a new session waits for more changes.
const PATIENCE: Duration = Duration::from_secs(2);

/// Folders of tools, in which nothing is the function's.
const FOLDERS_OF_TOOLS: [&str; 5] = [".git", ".hg", ".svn", ".Rproj.user", ".idea"];

/// Changes in a folder, from now on.
pub struct CodeChanges {
    changed: mpsc::UnboundedReceiver<PathBuf>,
    /// It watches as long as it lives.
    _watcher: Option<RecommendedWatcher>,
}

impl CodeChanges {
    /// Changes that nobody looks for.
    pub fn unwatched() -> CodeChanges {
        CodeChanges {
            changed: mpsc::unbounded_channel().1,
            _watcher: None,
        }
    }

    /// Watches a folder. Links are not followed: a function sees nothing outside its folder.
    pub fn watch(folder: &Path) -> Result<CodeChanges> {
        let (sender, changed) = mpsc::unbounded_channel();
        let root = folder.to_owned();
        let told = move |event: notify::Result<notify::Event>| {
            for path in changed_paths(event, &root) {
                // Nobody listens any more at the end of the command.
                let _ = sender.send(path);
            }
        };
        let config = Config::default().with_follow_symlinks(false);
        RecommendedWatcher::new(told, config)
            .and_then(|mut watcher| {
                watcher.watch(folder, RecursiveMode::Recursive)?;
                Ok(CodeChanges {
                    changed,
                    _watcher: Some(watcher),
                })
            })
            .with_context(|| format!("{} cannot be watched; leave out --watch", folder.display()))
    }

    /// Waits for the next change. Nothing is lost if the waiting is given up.
    pub async fn next(&mut self) -> PathBuf {
        match self.changed.recv().await {
            Some(path) => path,
            None => std::future::pending().await,
        }
    }

    /// Waits until the changes that begin with this one are complete, and returns them all.
    pub async fn rest(&mut self, first: PathBuf) -> BTreeSet<PathBuf> {
        let begun = Instant::now();
        let mut paths = BTreeSet::from([first]);
        while begun.elapsed() < PATIENCE
            && let Ok(path) = timeout(QUIET, self.next()).await
        {
            paths.insert(path);
        }
        paths
    }
}

/// The function's files that changed, as paths in its folder. A watcher that lost count says that all of it did.
fn changed_paths(event: notify::Result<notify::Event>, root: &Path) -> Vec<PathBuf> {
    match event {
        Ok(event) if !event.need_rescan() => {
            if !is_change(event.kind) {
                return Vec::new();
            }
            event
                .paths
                .iter()
                .filter_map(|path| path.strip_prefix(root).ok())
                .filter(|path| is_of_the_function(path))
                .map(Path::to_owned)
                .collect()
        }
        _ => vec![PathBuf::from(".")],
    }
}

/// Reading is none; the end of writing is.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
        _ => true,
    }
}

/// What version control, editors and R itself leave beside the code is not.
fn is_of_the_function(path: &Path) -> bool {
    let of_a_tool = path.components().any(|part| {
        FOLDERS_OF_TOOLS
            .iter()
            .any(|folder| part.as_os_str() == *folder)
    });
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let of_an_editor = name.ends_with('~')
        || name.starts_with(".#")
        || [".swp", ".swo", ".swx"].iter().any(|end| name.ends_with(end))
        // By which vim tries whether it may write.
        || name == "4913";
    let of_a_session = [".Rhistory", ".RData", ".DS_Store"].contains(&name.as_str());
    !(of_a_tool || of_an_editor || of_a_session)
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, Flag};

    use super::*;

    #[test]
    fn what_tools_write_beside_the_code_is_no_change_of_it() {
        for path in ["script.R", "R/model.R", ".Renviron", "data/a.csv", ""] {
            assert!(is_of_the_function(Path::new(path)), "{path}");
        }
        for path in [
            ".git/index",
            "sub/.git/HEAD",
            ".Rproj.user/x/y",
            "script.R~",
            ".script.R.swp",
            ".#script.R",
            "4913",
            ".Rhistory",
        ] {
            assert!(!is_of_the_function(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn reading_is_no_change_and_a_watcher_that_lost_count_changed_everything() {
        let root = Path::new("/code");
        let event = |kind| notify::Event::new(kind).add_path("/code/script.R".into());
        let opened = event(EventKind::Access(AccessKind::Open(AccessMode::Any)));
        assert_eq!(changed_paths(Ok(opened), root), [""; 0].map(PathBuf::from));
        let created = event(EventKind::Create(CreateKind::File));
        assert_eq!(
            changed_paths(Ok(created), root),
            [PathBuf::from("script.R")]
        );
        let lost = notify::Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(changed_paths(Ok(lost), root), [PathBuf::from(".")]);
    }
}
