//! The key of a data folder is replaced by `keys rotate`, once, also where that is killed.

use std::fs;
use std::time::Duration;

use countersign_tests::{Host, HostBuilder};

use super::{Vault, audited, let_go_of_the_former_key, rotate, said, write};

/// Kills of each test, and secrets: several batches of those that are sealed again at once.
const KILLS: usize = 6;
const SECRETS: usize = 70;

#[tokio::test]
async fn the_key_of_a_data_folder_is_replaced_by_one_command() {
    let vault = Vault::filled(Host::builder().sqlite(), 20).await;
    let key = vault.host.data_dir().join("secrets.key");
    let first = fs::read(&key).expect("a key");

    // Not behind the back of the host that is running.
    let refused = rotate(&vault.host.beside());
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(said(&refused).contains("in use by another Countersign host"));
    assert_eq!(fs::read(&key).expect("a key"), first);

    let vault = vault
        .restarted(async |stopped| {
            let done = rotate(&stopped);
            assert!(done.status.success(), "{}", said(&done));
            assert!(said(&done).contains("20 of 20"), "{}", said(&done));
            stopped
        })
        .await;
    vault.is_whole().await;
    assert_ne!(fs::read(&key).expect("a key"), first);
    assert!(!key.with_extension("key.old").exists());
    assert_eq!(
        audited(&vault.person()).await,
        ["keys_rotating", "keys_rotated", "root_key_forgotten"]
    );

    // The former key opens nothing any more.
    let stopped = vault.host.stop().await;
    fs::write(&key, &first).expect("written");
    stopped.fail().await.says(&["another key", "backup"]);
}

#[tokio::test]
async fn the_key_is_not_replaced_again_before_its_last_replacement_is_over() {
    let vault = Vault::filled(Host::builder().postgres(), 3).await;
    let files = |stopped: &HostBuilder| {
        let key = stopped.data_dir().join("secrets.key");
        (
            fs::read(key.with_extension("key.old")).ok(),
            fs::read(key).expect("a key"),
        )
    };
    let vault = vault
        .restarted(async |stopped| {
            assert!(rotate(&stopped).status.success());
            let_go_of_the_former_key(&stopped);
            let before = files(&stopped);
            let refused = rotate(&stopped);
            assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
            assert!(said(&refused).contains("is not over"), "{}", said(&refused));
            assert_eq!(files(&stopped), before, "no file is touched");
            // As it would have been left without that, and as it is mended.
            let (key, old) = (
                stopped.data_dir().join("secrets.key"),
                stopped.data_dir().join("secrets.key.old"),
            );
            fs::copy(&key, &old).expect("copied");
            fs::write(&key, [7; 32]).expect("written");
            let refused = rotate(&stopped);
            assert!(
                said(&refused).contains("put `secrets.key.old` in its place"),
                "{}",
                said(&refused)
            );
            fs::rename(&old, &key).expect("moved");
            stopped
        })
        .await;
    vault.is_whole().await;
    vault.forgets_the_former_key().await;
    let vault = vault.under_another_key().await;
    vault.is_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whenever_the_command_is_killed_every_secret_opens_and_the_next_one_goes_on() {
    let mut vault = Vault::filled(Host::builder(), SECRETS).await;
    let mut random = fastrand::Rng::with_seed(20_260_102);
    // Learnt, so that about half of the kills come before the end.
    let mut reach = Duration::from_millis(400);
    let (mut cut, mut over) = (0, 0);
    for _ in 0..KILLS {
        let wait = reach.mul_f64(random.f64());
        let is_over = &mut false;
        vault = vault
            .restarted(async |stopped| {
                let mut rotation = stopped.command(&["keys", "rotate"]);
                let mut rotation = rotation.spawn().expect("it can be run");
                // The instant itself is what is chosen.
                tokio::time::sleep(wait).await;
                let ended = rotation.try_wait().expect("a child");
                *is_over = ended.is_some_and(|status| status.success());
                assert_eq!(*is_over, ended.is_some(), "it ends by itself, and badly");
                rotation.kill().expect("it can be killed");
                rotation.wait().expect("a child");
                if *is_over {
                    let_go_of_the_former_key(&stopped);
                }
                stopped
            })
            .await;
        if *is_over {
            over += 1;
            reach = reach.mul_f64(0.8);
        } else {
            cut += 1;
            reach = reach.mul_f64(1.2);
        }
        vault.is_whole().await;
        if *is_over {
            vault.forgets_the_former_key().await;
        }
        // What is written meanwhile opens as well.
        write(
            &vault.person(),
            "/settings/secrets",
            "LATE",
            &format!("{wait:?}"),
        )
        .await;
        vault
            .expected
            .insert("LATE".to_owned(), format!("{wait:?}").into());
    }
    let database = vault.host.database().kind();
    println!("keys: {database}: {cut} kills before the end, {over} after it");
    assert!(cut > 0, "no kill came before the end");
    vault = vault.under_another_key().await;
    vault.is_whole().await;
    let kinds = vault.forgets_the_former_key().await;
    let of = |kind: &str| kinds.iter().filter(|found| *found == kind).count();
    assert!(of("keys_rotating") >= 1, "{kinds:?}");
    let walked = vault.person().get("/audit/verify").await.expect(200);
    assert_eq!(walked.json["whole"], true, "{walked}");
}
