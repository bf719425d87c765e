//! The key is replaced while several hosts serve, one after the other.

use countersign_tests::{Host, until};

use super::{SETTLED, Vault, audited, write};

const FIRST: &str = "c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ff";
const SECOND: &str = "0ddba110ddba110ddba110ddba110ddba110ddba110ddba110ddba110ddba110";
const THIRD: &str = "5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed";

#[tokio::test(flavor = "multi_thread")]
async fn while_a_fleet_changes_its_key_each_host_opens_what_any_other_has_sealed() {
    let builder = Host::builder()
        .postgres()
        .env("SECRETS_ENCRYPTION_KEY", FIRST);
    let mut old = Vault::filled(builder, 40).await;
    let with_both = old
        .host
        .mate()
        .env("SECRETS_ENCRYPTION_KEY", SECOND)
        .env("SECRETS_ENCRYPTION_KEY_OLD", FIRST);
    let both = with_both.start().await;
    let person = old.person();

    // The one that has the former key alone reads and writes on, while and after the other seals anew.
    for n in 0..20 {
        old.is_whole().await;
        old.is_whole_at(&both).await;
        let (key, value) = (format!("LATE_{}", n % 3), format!("{n}"));
        let at = if n % 2 == 0 { &old.host } else { &both };
        write(&person.at(at), "/settings/secrets", &key, &value).await;
        old.expected.insert(key, value.into());
    }
    until("every secret is sealed again", SETTLED, async || {
        let kinds = audited(&person).await;
        kinds.contains(&"keys_rotated".to_owned()).then_some(())
    })
    .await;
    old.is_whole().await;
    old.is_whole_at(&both).await;

    // It may even be started again, for nobody has said yet that it has the new key.
    let old = old.restarted(async |stopped| stopped).await;
    old.is_whole().await;
    let person = old.person();
    assert!(
        !audited(&person)
            .await
            .contains(&"root_key_forgotten".to_owned())
    );

    // Another change before this one is over would shut it out.
    let third = old
        .host
        .mate()
        .env("SECRETS_ENCRYPTION_KEY", THIRD)
        .env("SECRETS_ENCRYPTION_KEY_OLD", SECOND);
    third.fail().await.says(&["already being replaced"]);

    let old = old
        .restarted(async |stopped| {
            stopped
                .env("SECRETS_ENCRYPTION_KEY", SECOND)
                .env("SECRETS_ENCRYPTION_KEY_OLD", FIRST)
        })
        .await;
    old.is_whole().await;
    let alone = both
        .stop()
        .await
        .without_env("SECRETS_ENCRYPTION_KEY_OLD")
        .start()
        .await;
    let person = old.person();
    until("the former key is forgotten", SETTLED, async || {
        let kinds = audited(&person).await;
        (kinds.last()? == "root_key_forgotten").then_some(())
    })
    .await;
    old.is_whole().await;
    old.is_whole_at(&alone).await;
    let late = old.host.mate().env("SECRETS_ENCRYPTION_KEY", FIRST);
    let late = late.without_env("SECRETS_ENCRYPTION_KEY_OLD");
    late.fail().await.says(&["another key"]);
}
