//! The cache of the compiled driver, without Java. `tests/runtime.rs` breaks one that is used.
#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;

use super::*;

fn entry(folder: &Path, jar: &[u8]) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join(JAR), jar).unwrap();
    std::fs::write(folder.join(HASH), hex(&Sha256::digest(jar))).unwrap();
    folder.to_owned()
}

#[test]
fn an_entry_is_whole_with_the_jar_that_was_made() {
    let folder = tempfile::tempdir().unwrap();
    assert!(!is_whole(folder.path()));
    let entry = entry(folder.path(), b"driver");
    assert!(is_whole(&entry));
    std::fs::write(entry.join(JAR), b"drive").unwrap();
    assert!(!is_whole(&entry));
    std::fs::remove_file(entry.join(HASH)).unwrap();
    assert!(!is_whole(&entry));
}

#[test]
fn a_broken_entry_is_replaced_and_a_whole_one_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("place");
    let read = || std::fs::read_to_string(place.join(JAR)).unwrap();
    publish(&entry(&folder.path().join("a"), b"first"), &place).unwrap();
    assert_eq!(read(), "first");
    publish(&entry(&folder.path().join("b"), b"second"), &place).unwrap();
    assert_eq!(read(), "first");
    std::fs::write(place.join(JAR), b"torn").unwrap();
    publish(&entry(&folder.path().join("c"), b"third"), &place).unwrap();
    assert_eq!(read(), "third");
    std::fs::remove_dir_all(&place).unwrap();
    std::fs::write(&place, "no folder").unwrap();
    publish(&entry(&folder.path().join("d"), b"fourth"), &place).unwrap();
    assert_eq!(read(), "fourth");
}

#[test]
fn a_folder_that_others_can_write_to_is_no_cache() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("new/cache");
    assert!(is_private(&cache));
    assert_eq!(std::fs::metadata(&cache).unwrap().permissions().mode() & 0o777, 0o700);
    for (mode, private) in [(0o755, true), (0o775, false), (0o777, false), (0o700, true)] {
        std::fs::set_permissions(&cache, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(is_private(&cache), private, "{mode:o}");
    }
    // A link may lead anywhere.
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&cache, &link).unwrap();
    assert!(!is_private(&link));
}

#[test]
fn another_java_and_other_jars_have_entries_of_their_own() {
    use std::slice::from_ref;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    };
    let (java, jar) = (file("java/bin/java", "java"), file("lib/a.jar", "a"));
    let first = key(&java, from_ref(&jar)).unwrap();
    assert_eq!(first.len(), 16);
    assert_eq!(key(&java, from_ref(&jar)).unwrap(), first);
    assert_ne!(key(&java, &[jar.clone(), file("lib/b.jar", "b")]).unwrap(), first);
    file("java/release", "JAVA_VERSION=\"21\"");
    let second = key(&java, from_ref(&jar)).unwrap();
    assert_ne!(second, first);
    file("lib/a.jar", "another");
    assert_ne!(key(&java, from_ref(&jar)).unwrap(), second);
    assert!(key(&folder.path().join("nothing"), &[jar]).is_err());
}

#[test]
fn only_entries_that_were_not_made_lately_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let age = |name: &str, days: u64| {
        let path = folder.path().join(name);
        std::fs::create_dir(&path).unwrap();
        let then = std::time::SystemTime::now() - std::time::Duration::from_secs(days * 24 * 3600);
        std::fs::File::open(&path).unwrap().set_modified(then).unwrap();
        path
    };
    let (old, new, foreign) = (age("driver-old", 40), age("driver-new", 20), age("something", 40));
    remove_old(folder.path());
    assert!(!old.exists() && new.exists() && foreign.exists());
}

#[test]
fn every_source_of_the_driver_is_compiled() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/liquibase/driver");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    files.sort();
    assert_eq!(files, SOURCES.map(|(name, _)| name.to_owned()));
}
