//! The frame of a page: head, header with navigation and user menu, main, footer.

use std::fmt;

use askama::Template;

use crate::assets;
use crate::confirmation::SecureSession;
use crate::icon::Icon;

/// A whole page around `body`, which must bring its own `h1` and show itself as HTML.
#[derive(Debug, Template)]
#[template(path = "page.html")]
pub struct Page<'a, B: fmt::Display> {
    /// The title of the page, without the program's name.
    pub title: &'a str,
    /// What the program is called in the header, such as `Central`.
    pub program: &'a str,
    /// Where the pages are mounted, without a slash at its end: empty at the root of a host.
    pub base: &'a str,
    /// The main navigation; empty where nobody has signed in.
    pub nav: &'a [NavItem<'a>],
    /// The name of who has signed in.
    pub user: Option<&'a str>,
    /// Where the page on who has signed in is; none where there is none.
    pub account: Option<&'a str>,
    /// Where the form to sign out posts to; none where that is not for these pages.
    pub sign_out: Option<&'a str>,
    /// The temporary secure session of who has signed in.
    pub secure: Option<SecureSession>,
    /// The program's version, shown in the footer.
    pub version: &'a str,
    /// After how many seconds a browser without JavaScript loads the page again, where it waits for something.
    pub reload: Option<u32>,
    /// The content of `main`.
    pub body: B,
}

/// An entry of the main navigation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NavItem<'a> {
    /// What it is called.
    pub label: &'a str,
    /// Where it leads.
    pub href: &'a str,
    /// Whether the page belongs to it.
    pub current: bool,
}

/// A row of tabs. Each tab is a page of its own, so that it has an address and works without JavaScript.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "tabs.html")]
pub struct Tabs {
    /// What the tabs are of, for those who hear the page.
    pub label: String,
    /// The tabs.
    pub tabs: Vec<Tab>,
}

/// One tab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tab {
    /// What it is called.
    pub label: &'static str,
    /// Where it leads.
    pub href: String,
    /// Whether it is the one that is open.
    pub current: bool,
}

impl askama::filters::HtmlSafe for Tabs {}
