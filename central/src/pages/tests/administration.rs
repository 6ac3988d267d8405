//! What administrators set and see of the server itself.

use axum::http::StatusCode;
use jiff::SignedDuration;
use seatline_protocol::SecretKey;

use super::stories::Browser;
use super::world::now;
use crate::domain::Retention;
use crate::store::leases::JobRun;

#[tokio::test]
async fn what_would_go_is_shown_before_a_retention_is_saved() {
    let browser = Browser::signed_in().await;
    let application = browser.application().await;
    let key = SecretKey::from_seed(&[7; 32]);
    let link = browser.link(&key, Some(&application)).await;
    browser.report(&link, &key).await;
    let page = "/administration/retention";
    let kept = async || browser.central.store().retention().await.expect("read");

    let shown = browser.get(page).await.body;
    assert!(shown.contains("for ever") && !shown.contains("What would go</h2>"), "{shown}");
    let preview = browser.get(&format!("{page}?reports=400&history=&preview=yes")).await.body;
    assert!(preview.contains("goes: none at present.") && preview.contains("is kept for ever"), "{preview}");
    assert_eq!(seatline_ui::audit::findings(&preview), Vec::<String>::new());
    assert_eq!(kept().await, Retention::default(), "a look changes nothing");
    for bad in ["44", "-1", "soon", "99999999999999999999"] {
        let refused = browser.get(&format!("{page}?reports={bad}&preview=yes")).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
        assert!(refused.body.contains("id=\"error-reports\""), "{}", refused.body);
    }

    let form = [("reports", "400"), ("history", "")];
    let unconfirmed = browser.post(page, &form).await;
    assert!(unconfirmed.body.contains("confirm-password"), "{}", unconfirmed.body);
    assert_eq!(kept().await, Retention::default(), "c2");
    browser.confirm().await;
    let saved = browser.post(page, &form).await;
    assert_eq!(saved.location, format!("{page}?done=saved"), "{}", saved.body);
    assert_eq!(kept().await, Retention { reports_days: Some(400), history_days: None });
    assert!(browser.get(&saved.location).await.body.contains("400 days"));
}

#[tokio::test]
async fn jobs_are_shown_with_how_they_went_and_when_they_go_on() {
    let browser = Browser::signed_in().await;
    let store = browser.central.store();
    let fresh = browser.get("/administration/jobs").await.body;
    assert!(fresh.contains("Not run yet") && fresh.contains("every 6 hours"), "{fresh}");
    for (name, failure) in [("retention", None), ("history", Some("the disk is full".to_owned()))] {
        store.take_lease(name, "0123456789abcdef", now(), now() + SignedDuration::from_secs(60)).await.expect("asked");
        let next_at = now() + SignedDuration::from_hours(6);
        let run = JobRun { at: now(), took_ms: 2345, next_at, failure };
        store.note_run(name, "0123456789abcdef", &run).await.expect("noted");
    }
    let shown = browser.get("/administration/jobs").await.body;
    for expected in ["the disk is full", "Failed", "2.3 s", "in 6 hours", "<code>01234567</code>", "Not run yet"] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    assert_eq!(seatline_ui::audit::findings(&shown), Vec::<String>::new());
}
