//! Alerts, channels, and what was told.

use super::operation::{Operation, items, json, made, nothing, op, page};
use crate::actions::alerts::{AcknowledgedSeveral, MadeChannel, SeveralKnown, ShownSettings};
use crate::api::alerts::{NewAcknowledgement, OldAcknowledgement};
use crate::api::channels::{NewChannel, NewSecret, NewSettings, ShownChannel};
use crate::domain::alerts::acknowledgement::Acknowledgement;
use crate::domain::alerts::channel::Channel;
use crate::postman::Tested;
use crate::store::alerts::{Alert, AlertFigures, Message};

pub(super) const OPERATIONS: &[Operation] = &[
    op(
        "GET /api/v1/alerts",
        "list_alerts",
        page::<Alert>(),
        "What is open, the gravest first; or what is over, what ended last first",
    )
    .asked("state?:open|past code?:string gravity?:problem|warning|note"),
    op(
        "GET /api/v1/alerts/figures",
        "show_alert_figures",
        json::<AlertFigures>(),
        "How many alerts are open, and what waits to be told",
    ),
    op(
        "POST /api/v1/alerts/acknowledge",
        "acknowledge_alert",
        json::<Acknowledgement>(),
        "Say that you know of an alert: nothing more is told of it until it changes, or until a time",
    )
    .takes_a::<NewAcknowledgement>(),
    op(
        "POST /api/v1/alerts/acknowledge-several",
        "acknowledge_alerts",
        json::<AcknowledgedSeveral>(),
        "Say that you know of several alerts, at most 100; what is not open hinders nothing else",
    )
    .takes_a::<SeveralKnown>(),
    op("POST /api/v1/alerts/withdraw", "withdraw_acknowledgement", nothing(), "Take an acknowledgement back")
        .takes_a::<OldAcknowledgement>(),
    op("GET /api/v1/channels", "list_channels", items::<ShownChannel>(), "Where alerts go, without any secret"),
    op(
        "POST /api/v1/channels",
        "add_channel",
        made::<MadeChannel>(),
        "Add a channel; the answer holds the secret of a webhook, this once",
    )
    .takes_a::<NewChannel>(),
    op("GET /api/v1/channels/{channel}", "show_channel", json::<ShownChannel>(), "A channel"),
    op("PUT /api/v1/channels/{channel}", "change_channel", json::<Channel>(), "Change a channel; its secret stays")
        .takes_a::<NewChannel>(),
    op("DELETE /api/v1/channels/{channel}", "remove_channel", nothing(), "Remove a channel"),
    op(
        "POST /api/v1/channels/{channel}/test",
        "test_channel",
        items::<Tested>(),
        "Send a test to every place of a channel, and say what came of it",
    ),
    op(
        "POST /api/v1/channels/{channel}/secret",
        "rotate_channel",
        json::<NewSecret>(),
        "Make another secret for a webhook; the answer holds it, this once",
    ),
    op(
        "GET /api/v1/messages",
        "list_messages",
        page::<Message>(),
        "What was told, and what became of it, the newest first",
    )
    .asked("channel?:string"),
    op("GET /api/v1/alert-settings", "show_alert_settings", json::<ShownSettings>(), "What holds for all alerts"),
    op("PUT /api/v1/alert-settings", "set_alert_settings", json::<ShownSettings>(), "Set what holds for all alerts")
        .takes_a::<NewSettings>(),
];
