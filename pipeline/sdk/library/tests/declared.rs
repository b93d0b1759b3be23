//! What `#[object]` makes of an `impl` block.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use dagger_module::sdk::{Directory, File, Query};
use dagger_module::{Argument, Cache, Group, Held, Kind, Object, Result, object};
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
pub struct Shop {
    city: String,
}

#[derive(Group)]
pub struct Where {
    /// Which street
    #[argument(default = "Long Street")]
    street: String,
    /// Which house
    number: Option<i64>,
}

#[derive(Group)]
pub struct Delivery {
    #[argument(group)]
    to: Where,
    /// Leave it at the door
    #[argument(default = false)]
    unattended: bool,
}

/// What was bought
#[derive(Serialize, Deserialize)]
pub struct Parcel {
    to: String,
}

#[object]
impl Parcel {
    pub fn label(&self) -> String {
        self.to.clone()
    }
}

/// Sells things
#[object]
impl Shop {
    /// Opens it
    pub async fn new(
        /// Where it is
        #[argument(default = "Ghent")]
        city: String,
    ) -> Result<Self> {
        Ok(Self { city })
    }

    /// Puts something on the list
    ///
    /// More of it.
    #[function(cache = "never", check)]
    pub async fn add_item(
        &self,
        dag: &Query,
        /// Its name
        item_name: String,
        /// How many
        #[argument(default = 3)]
        count: i64,
        /// Pictures
        #[argument(default_path = "/pictures", ignore = ["*", "!*.png"])]
        pictures: Directory,
        /// Colours, where it has some
        colours: Option<Vec<String>>,
    ) -> Result<Vec<String>> {
        let _ = (dag, count, pictures, colours);
        Ok(vec![self.city.clone(), item_name])
    }

    #[function(cache = "5m")]
    pub fn empty(&self) {}

    /// Brings it
    pub fn deliver(
        &self,
        /// What
        item: String,
        #[argument(group)] delivery: Delivery,
        /// Goes with it
        bill: Option<Held<File>>,
    ) -> Parcel {
        let _ = bill;
        let Delivery { to: Where { street, number }, unattended } = delivery;
        Parcel { to: format!("{item}: {street} {number:?} {unattended}") }
    }

    /// Nobody else's business
    fn _private(&self) {}
}

#[test]
fn functions_are_as_they_were_written() {
    assert_eq!((Shop::NAME, Shop::DESCRIPTION), ("Shop", "Sells things"));
    let functions = Shop::functions();
    assert_eq!(functions.iter().map(|f| f.name).collect::<Vec<_>>(), ["addItem", "empty", "deliver"]);
    let add = &functions[0];
    assert_eq!(add.description, "Puts something on the list\n\nMore of it.");
    assert_eq!((&add.cache, add.check), (&Cache::Never, true));
    assert_eq!(add.result, Kind::List(Box::new(Kind::Text)));
    let told: Vec<_> =
        add.arguments.iter().map(|a: &Argument| (a.name, a.description, a.default.as_deref())).collect();
    assert_eq!(
        told,
        [
            ("itemName", "Its name", None),
            ("count", "How many", Some("3")),
            ("pictures", "Pictures", None),
            ("colours", "Colours, where it has some", None),
        ]
    );
    let pictures = &add.arguments[2];
    assert_eq!((&pictures.kind, pictures.default_path), (&Kind::Object("Directory"), Some("/pictures")));
    assert_eq!(pictures.ignore, ["*", "!*.png"]);
    assert_eq!(add.arguments[3].kind, Kind::Optional(Box::new(Kind::List(Box::new(Kind::Text)))));
    assert_eq!((&functions[1].cache, &functions[1].result), (&Cache::For("5m"), &Kind::Void));
}

#[test]
fn the_constructor_is_no_function() {
    let constructor = Shop::constructor().unwrap();
    assert_eq!((constructor.description, &constructor.result), ("Opens it", &Kind::Object("Shop")));
    assert_eq!(constructor.arguments[0].default.as_deref(), Some("\"Ghent\""));
}

#[test]
fn a_group_is_its_arguments() {
    let deliver = &Shop::functions()[2];
    let told: Vec<_> =
        deliver.arguments.iter().map(|a| (a.name, a.description, a.default.as_deref())).collect();
    assert_eq!(
        told,
        [
            ("item", "What", None),
            ("street", "Which street", Some("\"Long Street\"")),
            ("number", "Which house", None),
            ("unattended", "Leave it at the door", Some("false")),
            ("bill", "Goes with it", None),
        ]
    );
    assert_eq!(deliver.arguments[4].kind, Kind::Optional(Box::new(Kind::Object("File"))));
    assert_eq!(deliver.result, Kind::Object("Parcel"));
}
