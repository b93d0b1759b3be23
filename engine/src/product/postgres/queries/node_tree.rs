//! The text that the server writes of its trees (`nodeToString`, what `debug_print_parse` shows and `pg_rewrite` keeps), as a tree.
//!
//! Nothing here depends on which nodes and fields a version has: `{TAG :field value …}`, `(…)` for lists, `<>` for nothing.

/// A node, a list, a word or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    Node { tag: String, fields: Vec<(String, Tree)> },
    List(Vec<Tree>),
    Word(String),
    Nothing,
}

/// Deeper than any query that the server takes.
const DEEPEST: usize = 2000;

impl Tree {
    /// `None` when the text is none of these.
    pub fn read(text: &str) -> Option<Self> {
        let tokens = tokens(text);
        let (tree, rest) = value(&tokens, 0)?;
        rest.is_empty().then_some(tree)
    }

    fn extend(&mut self, item: Self) {
        match self {
            Self::List(items) => items.push(item),
            one => *one = Self::List(vec![std::mem::replace(one, Self::Nothing), item]),
        }
    }

    pub fn tag(&self) -> &str {
        if let Self::Node { tag, .. } = self { tag } else { "" }
    }

    pub fn fields(&self) -> &[(String, Tree)] {
        if let Self::Node { fields, .. } = self { fields } else { &[] }
    }

    pub fn field(&self, name: &str) -> &Self {
        self.fields().iter().find(|(own, _)| own == name).map_or(&Self::Nothing, |(_, value)| value)
    }

    pub fn items(&self) -> &[Self] {
        if let Self::List(items) = self { items } else { &[] }
    }

    pub fn word(&self) -> &str {
        if let Self::Word(word) = self { word } else { "" }
    }

    /// A number in a field; 0 where there is none.
    pub fn number<T: std::str::FromStr + Default>(&self, name: &str) -> T {
        self.field(name).word().parse().unwrap_or_default()
    }

    pub fn is(&self, name: &str) -> bool {
        self.field(name).word() == "true"
    }

    pub fn lacks(&self, name: &str) -> bool {
        match self.field(name) {
            Self::Nothing => true,
            Self::List(items) => items.is_empty(),
            _ => false,
        }
    }

    /// The words of a list.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.items().iter().map(Self::word)
    }
}

enum Token {
    Mark(char),
    Field(String),
    Word(String),
    Nothing,
}

fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        if c.is_whitespace() {
            continue;
        }
        if "(){}".contains(c) {
            found.push(Token::Mark(c));
            continue;
        }
        let (mut raw, mut word, mut next) = (String::new(), String::new(), Some(c));
        while let Some(c) = next {
            raw.push(c);
            let literal = if c == '\\' { characters.next() } else { Some(c) };
            word.extend(literal);
            next = characters.next_if(|c| !c.is_whitespace() && !"(){}".contains(*c));
        }
        let inside = word.strip_prefix('"').and_then(|w| w.strip_suffix('"')).map(str::to_owned);
        found.push(match (raw.as_str(), raw.strip_prefix(':')) {
            ("<>", _) => Token::Nothing,
            (_, Some(name)) if !name.is_empty() => Token::Field(name.to_owned()),
            _ => Token::Word(inside.unwrap_or(word)),
        });
    }
    found
}

fn value(tokens: &[Token], depth: usize) -> Option<(Tree, &[Token])> {
    if depth > DEEPEST {
        return None;
    }
    let (first, mut rest) = tokens.split_first()?;
    match first {
        Token::Nothing => Some((Tree::Nothing, rest)),
        Token::Word(word) => Some((Tree::Word(word.clone()), rest)),
        Token::Mark('(') => {
            let mut items = Vec::new();
            loop {
                if let Some((Token::Mark(')'), after)) = rest.split_first() {
                    return Some((Tree::List(items), after));
                }
                let (item, after) = value(rest, depth + 1)?;
                items.push(item);
                rest = after;
            }
        }
        Token::Mark('{') => {
            let Some((Token::Word(tag), after)) = rest.split_first() else { return None };
            let mut fields: Vec<(String, Tree)> = Vec::new();
            rest = after;
            loop {
                match rest.split_first()? {
                    (Token::Mark('}'), after) => {
                        return Some((Tree::Node { tag: tag.clone(), fields }, after));
                    }
                    (Token::Field(name), after) => {
                        fields.push((name.clone(), Tree::Nothing));
                        rest = after;
                    }
                    _ => {
                        let (item, after) = value(rest, depth + 1)?;
                        match fields.last_mut() {
                            Some((_, own @ Tree::Nothing)) => *own = item,
                            // A value in several words, as a constant's bytes are.
                            Some((_, own)) => own.extend(item),
                            None => return None,
                        }
                        rest = after;
                    }
                }
            }
        }
        Token::Mark(_) | Token::Field(_) => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Tree;

    #[test]
    fn nodes_lists_and_names_with_blanks_are_read() {
        let text = r#"({QUERY :commandType 1 :cteList <> :rtable ({RANGETBLENTRY :alias <> :eref {ALIAS :aliasname my\ table
            :colnames ("id" "a\ \(b" "")} :relid 16386 :selectedCols (b 9 10)}) :quals {CONST :constvalue 4 [ 1 0 0 0 ] :location 7}})"#;
        let tree = Tree::read(text).unwrap();
        let [query] = tree.items() else { panic!("{tree:?}") };
        let [entry] = query.field("rtable").items() else { panic!("{tree:?}") };
        assert_eq!((query.tag(), query.number::<u32>("commandType")), ("QUERY", 1));
        assert!(query.lacks("cteList") && query.lacks("nowhere"));
        assert_eq!(entry.field("eref").field("aliasname").word(), "my table");
        assert_eq!(entry.field("eref").field("colnames").words().collect::<Vec<_>>(), ["id", "a (b", ""]);
        assert_eq!(
            (entry.number::<u32>("relid"), query.field("quals").number::<i64>("location")),
            (16386, 7)
        );
        let words: Vec<&str> = query.field("quals").field("constvalue").words().collect();
        assert_eq!(words, ["4", "[", "1", "0", "0", "0", "]"]);
        assert_eq!(Tree::read("{QUERY :a (1"), None);
    }
}
