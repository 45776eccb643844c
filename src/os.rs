//! What systems differ in: links, permissions, who we are. Fetching and packing works on all of them; what needs a root
//! file system with links and modes is for those that have them.

use std::fs::File;
use std::io;
use std::path::Path;

/// Makes a symbolic link.
///
/// # Errors
/// On Windows it needs a privilege.
pub fn symlink(target: impl AsRef<Path>, link: impl AsRef<Path>) -> io::Result<()> {
    #[cfg(unix)]
    return std::os::unix::fs::symlink(target, link);
    #[cfg(windows)]
    return std::os::windows::fs::symlink_file(target, link);
}

/// Gives a file or folder its permission bits, where there are such.
pub fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    fs_err::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))?;
    #[cfg(not(unix))]
    let _ = (path, mode);
    Ok(())
}

/// Is a file one that its owner may execute? Where there are no permission bits, none is.
pub fn is_executable(metadata: &std::fs::Metadata) -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o100 != 0;
    #[cfg(not(unix))]
    {
        let _ = metadata;
        false
    }
}

/// May this process do everything?
pub fn is_root() -> bool {
    #[cfg(unix)]
    return rustix::process::geteuid().is_root();
    #[cfg(not(unix))]
    false
}

/// This process's user and group, as container engines take them; nothing where users have no numbers.
pub fn user_and_group() -> Option<String> {
    #[cfg(unix)]
    {
        let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
        Some(format!("{}:{}", user.as_raw(), group.as_raw()))
    }
    #[cfg(not(unix))]
    None
}

/// Keeps others out who lock the same folder, until the file is dropped: the lock is the system's, so a killed process leaves
/// none behind. Where folders cannot be opened, a hidden file in it is locked, and stays.
///
/// It waits as long as another has it.
pub fn lock_folder(folder: &Path) -> io::Result<File> {
    let folder = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    #[cfg(unix)]
    let lock = File::open(folder)?;
    #[cfg(not(unix))]
    let lock = File::create(folder.join(".r-layer.lock"))?;
    lock.lock()?;
    Ok(lock)
}

/// Makes a named pipe and opens both its ends, so that neither reading nor writing waits; nothing where systems have none
/// that work so.
pub fn named_pipe(path: &Path) -> io::Result<Option<File>> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, Mode, OFlags, mkfifoat, open};
        mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR)?;
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(Some(open(path, flags, Mode::empty())?.into()))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = path;
        Ok(None)
    }
}

/// What a child prints, as a file for a reader that waits.
pub fn blocking(output: tokio::process::ChildStdout) -> io::Result<File> {
    #[cfg(unix)]
    return Ok(File::from(output.into_owned_fd()?));
    #[cfg(windows)]
    return Ok(File::from(output.into_owned_handle()?));
}

/// How many bytes there are left on the disk of a folder, where the system says so.
pub fn room(folder: &Path) -> io::Result<Option<u64>> {
    #[cfg(unix)]
    {
        let found = rustix::fs::statvfs(folder)?;
        Ok(Some(found.f_bavail.saturating_mul(found.f_frsize)))
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        Ok(None)
    }
}

/// The bytes of a name in an archive made on Unix as a name of this system.
pub fn file_name(bytes: &[u8]) -> std::ffi::OsString {
    #[cfg(unix)]
    return std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec());
    #[cfg(not(unix))]
    String::from_utf8_lossy(bytes).into_owned().into()
}
