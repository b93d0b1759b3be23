//! Room on disks.

use std::path::Path;

/// Bytes that are free on the disk of a folder, or of the nearest one above it that is there.
pub fn free(folder: &Path) -> Option<u64> {
    let there = folder.ancestors().find(|path| path.is_dir())?;
    let disk = nix::sys::statvfs::statvfs(there).ok()?;
    Some(disk.blocks_available().saturating_mul(disk.fragment_size()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_room_of_a_disk_is_measured() {
        assert!(free(Path::new("/tmp/there-is-no-such-folder/at/all")).unwrap() > 0);
    }
}
