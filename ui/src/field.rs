//! A field of a form: label, hint, control, error.

use askama::Template;

use crate::icon::Icon;
use crate::signs::Prose;

/// A labelled control. An error stands at the field, and what was typed stays.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "field.html")]
pub struct Field<'a> {
    name: &'a str,
    label: &'a str,
    control: Control<'a>,
    value: &'a str,
    hint: Option<&'a str>,
    error: Option<&'a str>,
    suffix: Option<&'a str>,
    autocomplete: &'a str,
    required: bool,
    wide: bool,
    from_fragment: bool,
    /// What a line of text could be.
    suggestions: Vec<String>,
    /// What tells its ids from those of a field of the same name in another form.
    apart: &'a str,
}

/// An entry of a drop-down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice<'a> {
    /// What the form sends.
    pub value: &'a str,
    /// What people read.
    pub label: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Control<'a> {
    Input { kind: &'static str },
    Area,
    Number,
    Select { choices: Vec<Choice<'a>> },
    File,
}

impl<'a> Field<'a> {
    fn new(name: &'a str, label: &'a str, control: Control<'a>) -> Self {
        Self {
            name,
            label,
            control,
            value: "",
            hint: None,
            error: None,
            suffix: None,
            autocomplete: "off",
            required: false,
            wide: false,
            from_fragment: false,
            suggestions: Vec::new(),
            apart: "",
        }
    }

    /// A line of text.
    pub fn text(name: &'a str, label: &'a str) -> Self {
        Self::new(name, label, Control::Input { kind: "text" })
    }

    /// Several lines of text, such as a license key that mail has wrapped.
    pub fn area(name: &'a str, label: &'a str) -> Self {
        Self::new(name, label, Control::Area)
    }

    /// An address of the web.
    pub fn url(name: &'a str, label: &'a str) -> Self {
        Self::new(name, label, Control::Input { kind: "url" })
    }

    /// A day.
    pub fn date(name: &'a str, label: &'a str) -> Self {
        Self::new(name, label, Control::Input { kind: "date" })
    }

    /// A date with a time of day; its label says in which zone.
    pub fn date_time(name: &'a str, label: &'a str) -> Self {
        Self::new(name, label, Control::Input { kind: "datetime-local" })
    }

    /// A secret: its value is never sent back into the page.
    pub fn password(name: &'a str, label: &'a str) -> Self {
        Self::new(name, label, Control::Input { kind: "password" })
    }

    /// A whole number.
    pub fn number(name: &'a str, label: &'a str) -> Self {
        Self::new(name, label, Control::Number)
    }

    /// A file, in a form of `multipart/form-data`.
    pub fn file(name: &'a str, label: &'a str) -> Self {
        Self::new(name, label, Control::File)
    }

    /// One of `choices`.
    pub fn select(name: &'a str, label: &'a str, choices: Vec<Choice<'a>>) -> Self {
        Self::new(name, label, Control::Select { choices })
    }

    /// What the field holds, or was sent with.
    pub fn value(mut self, value: &'a str) -> Self {
        if self.control != (Control::Input { kind: "password" }) {
            self.value = value;
        }
        self
    }

    /// What to type, and why; what stands between backticks is code.
    pub fn hint(mut self, hint: &'a str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// Why the value was not taken, where it was not: it is shown as a sentence.
    pub fn error(mut self, error: Option<&'a str>) -> Self {
        self.error = error;
        self
    }

    /// The unit behind the control.
    pub fn suffix(mut self, suffix: &'a str) -> Self {
        self.suffix = Some(suffix);
        self
    }

    /// What the browser may fill in: an autofill token of HTML, such as `username`.
    pub fn autocomplete(mut self, token: &'a str) -> Self {
        self.autocomplete = token;
        self
    }

    /// What tells it apart where another form of the page has a field of this name.
    pub fn id(mut self, apart: &'a str) -> Self {
        self.apart = apart;
        self
    }

    /// The form is not sent without it.
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// What a line of text could be: browsers offer it, and anything else may be typed.
    pub fn suggestions(mut self, suggestions: Vec<String>) -> Self {
        self.suggestions = suggestions;
        self
    }

    /// A row of its own, where fields stand side by side.
    pub fn wide(mut self) -> Self {
        self.wide = true;
        self
    }

    /// Where there is JavaScript, what stands behind `#NAME=` in the address goes into it, and out of the address: so a
    /// secret reaches a form and no server.
    pub fn from_fragment(mut self) -> Self {
        self.from_fragment = true;
        self
    }

    /// The attributes that every kind of control has.
    fn attributes(&self) -> Attributes<'_> {
        Attributes { field: self }
    }
}

impl askama::filters::HtmlSafe for Field<'_> {}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"id="field-{{ field.name }}{{ field.apart }}" name="{{ field.name }}"
{%- if field.hint.is_some() || field.error.is_some() %} aria-describedby="
{%- if field.hint.is_some() %}hint-{{ field.name }}{{ field.apart }}{% endif %}
{%- if field.hint.is_some() && field.error.is_some() %} {% endif %}
{%- if field.error.is_some() %}error-{{ field.name }}{{ field.apart }}{% endif %}"
{%- endif %}
{%- if field.error.is_some() %} aria-invalid="true"{% endif %}
{%- if !field.suggestions.is_empty() %} list="list-{{ field.name }}{{ field.apart }}"{% endif %}
{%- if field.from_fragment %} data-fragment="{{ field.name }}"{% endif %}
{%- if field.required %} required{% endif %}"#
)]
struct Attributes<'a> {
    field: &'a Field<'a>,
}

impl askama::filters::HtmlSafe for Attributes<'_> {}
