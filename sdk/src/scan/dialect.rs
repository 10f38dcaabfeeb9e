//! Reads one regular expression. The syntax is that of the crate `regex`; look-around and
//! back-references are not in it. As in JavaScript, `\d`, `\w`, `\s` and `\b` mean ASCII, in a
//! text of Unicode characters: `.` and `[^x]` are whole characters. `\p{…}` is left out, for its
//! tables are larger than all the rest.

use super::fold::is_invisible;
use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::ast::{
    Assertion, AssertionKind, Ast, ClassAscii, ClassAsciiKind, ClassBracketed, ClassPerl,
    ClassPerlKind, ClassSet, ClassSetItem, Flag, Flags, FlagsItem, FlagsItemKind, Group, GroupKind,
    RepetitionKind, RepetitionRange,
};
use regex_syntax::hir::Hir;
use regex_syntax::hir::translate::TranslatorBuilder;

/// What an expression means, or what is wrong with it.
pub(super) fn read(expression: &str, any_case: bool) -> Result<Hir, String> {
    let mut ast = parse(expression)?;
    plain(&mut ast);
    let mut translator = TranslatorBuilder::new().case_insensitive(any_case).build();
    let hir = translator.translate(expression, &ast).map_err(|error| {
        let at = error.span().start.offset;
        format!("is not valid at byte {at}: {}", error.kind())
    })?;
    match hir.properties().minimum_len() {
        Some(0) => Err("matches the empty text: let it need a character".into()),
        None => Err("can never match".into()),
        Some(_) => Ok(hir),
    }
}

/// What every match of an expression begins with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Beginning {
    pub(super) text: String,
    /// It stands where a word begins, by ASCII's meaning.
    pub(super) is_at_word: bool,
}

/// The literal beginning of a valid expression; `None` if it has none to speak of, or if only
/// building it shows whether it can be used.
///
/// # Errors
/// What is wrong with its syntax, or that all its matches are longer than `bytes_max`.
pub(super) fn beginning(expression: &str, bytes_max: usize) -> Result<Option<Beginning>, String> {
    let ast = parse(expression)?;
    let least = shortest(&ast);
    if least > bytes_max {
        return Err(format!(
            "can never match: it needs {least} bytes, and a match has at most {bytes_max}"
        ));
    }
    if size(&ast).is_none_or(|size| size > SIZE_MAX) {
        return Ok(None);
    }
    let Ast::Concat(concat) = &ast else { return Ok(None) };
    let edges = concat.asts.iter().take_while(|it| matches!(it, Ast::Assertion(_)));
    let edges: Vec<&Ast> = edges.collect();
    let literals = concat.asts.iter().skip(edges.len()).map_while(|it| match it {
        Ast::Literal(literal) => Some(literal.c),
        _ => None,
    });
    let text: String = literals.collect();
    let is_edge =
        |it: &&Ast| matches!(it, Ast::Assertion(it) if it.kind == AssertionKind::WordBoundary);
    let begins_word = text.starts_with(|it: char| it.is_ascii_alphanumeric() || it == '_');
    let is_at_word = begins_word && edges.iter().any(is_edge);
    let is_usable = text.chars().count() >= BEGINNING_MIN && !text.chars().any(is_invisible);
    Ok(is_usable.then_some(Beginning { text, is_at_word }))
}

fn parse(expression: &str) -> Result<Ast, String> {
    if expression.len() > EXPRESSION_BYTES_MAX {
        return Err(format!("is longer than {EXPRESSION_BYTES_MAX} bytes"));
    }
    ParserBuilder::new().nest_limit(64).build().parse(expression).map_err(|error| {
        let at = error.span().start.offset;
        format!("is not valid at byte {at}: {}", error.kind())
    })
}

/// About how many states an expression needs; `None` for what may turn out not to be valid.
fn size(ast: &Ast) -> Option<usize> {
    let sum = |asts: &[Ast]| asts.iter().map(size).sum::<Option<usize>>();
    match ast {
        Ast::Empty(_) | Ast::Literal(_) | Ast::Assertion(_) => Some(1),
        Ast::Dot(_) | Ast::ClassPerl(_) => Some(10),
        Ast::ClassBracketed(class) => is_simple(&class.kind).then_some(10),
        Ast::Flags(_) | Ast::ClassUnicode(_) => None,
        Ast::Group(it) => {
            let has_flags = it.flags().is_some_and(|flags| !flags.items.is_empty());
            if has_flags { None } else { size(&it.ast) }
        }
        Ast::Repetition(it) => {
            let times = match &it.op.kind {
                RepetitionKind::Range(RepetitionRange::Exactly(count)) => *count,
                RepetitionKind::Range(RepetitionRange::AtLeast(count)) => *count + 1,
                RepetitionKind::Range(RepetitionRange::Bounded(_, count)) => *count,
                RepetitionKind::ZeroOrOne
                | RepetitionKind::ZeroOrMore
                | RepetitionKind::OneOrMore => 2,
            };
            size(&it.ast)?.checked_mul(usize::try_from(times).ok()?)
        }
        Ast::Alternation(it) => sum(&it.asts),
        Ast::Concat(it) => sum(&it.asts),
    }
}

/// How many bytes a match has at least, or a little less.
fn shortest(ast: &Ast) -> usize {
    match ast {
        Ast::Literal(literal) => literal.c.len_utf8(),
        Ast::Dot(_) | Ast::ClassPerl(_) | Ast::ClassBracketed(_) | Ast::ClassUnicode(_) => 1,
        Ast::Empty(_) | Ast::Assertion(_) | Ast::Flags(_) => 0,
        Ast::Group(it) => shortest(&it.ast),
        Ast::Repetition(it) => {
            let times = match &it.op.kind {
                RepetitionKind::Range(
                    RepetitionRange::Exactly(count)
                    | RepetitionRange::AtLeast(count)
                    | RepetitionRange::Bounded(count, _),
                ) => usize::try_from(*count).unwrap_or(usize::MAX),
                RepetitionKind::OneOrMore => 1,
                RepetitionKind::ZeroOrOne | RepetitionKind::ZeroOrMore => 0,
            };
            shortest(&it.ast).saturating_mul(times)
        }
        Ast::Alternation(it) => it.asts.iter().map(shortest).min().unwrap_or(0),
        Ast::Concat(it) => it.asts.iter().map(shortest).fold(0, usize::saturating_add),
    }
}

fn is_simple(set: &ClassSet) -> bool {
    fn item(it: &ClassSetItem) -> bool {
        match it {
            ClassSetItem::Unicode(_) => false,
            ClassSetItem::Bracketed(class) => is_simple(&class.kind),
            ClassSetItem::Union(union) => union.items.iter().all(item),
            _ => true,
        }
    }
    matches!(set, ClassSet::Item(it) if item(it))
}

/// Gives an expression ASCII meanings.
fn plain(ast: &mut Ast) {
    let other = match ast {
        Ast::ClassPerl(class) => {
            let kind = ClassSet::Item(ClassSetItem::Ascii(ascii(class)));
            let class = ClassBracketed { span: class.span, negated: false, kind };
            Ast::class_bracketed(class)
        }
        Ast::Assertion(assertion) if looks_at_words(assertion) => ascii_assertion(assertion),
        Ast::ClassBracketed(class) => return plain_set(&mut class.kind),
        Ast::Repetition(it) => return plain(&mut it.ast),
        Ast::Group(it) => return plain(&mut it.ast),
        Ast::Alternation(it) => return it.asts.iter_mut().for_each(plain),
        Ast::Concat(it) => return it.asts.iter_mut().for_each(plain),
        _ => return,
    };
    *ast = other;
}

fn plain_set(set: &mut ClassSet) {
    match set {
        ClassSet::Item(item) => plain_item(item),
        ClassSet::BinaryOp(it) => {
            plain_set(&mut it.lhs);
            plain_set(&mut it.rhs);
        }
    }
}

fn plain_item(item: &mut ClassSetItem) {
    match item {
        ClassSetItem::Perl(class) => *item = ClassSetItem::Ascii(ascii(class)),
        ClassSetItem::Bracketed(class) => plain_set(&mut class.kind),
        ClassSetItem::Union(it) => it.items.iter_mut().for_each(plain_item),
        _ => {}
    }
}

fn ascii(class: &ClassPerl) -> ClassAscii {
    let kind = match class.kind {
        ClassPerlKind::Digit => ClassAsciiKind::Digit,
        ClassPerlKind::Space => ClassAsciiKind::Space,
        ClassPerlKind::Word => ClassAsciiKind::Word,
    };
    ClassAscii { span: class.span, kind, negated: class.negated }
}

fn looks_at_words(assertion: &Assertion) -> bool {
    !matches!(
        assertion.kind,
        AssertionKind::StartLine
            | AssertionKind::EndLine
            | AssertionKind::StartText
            | AssertionKind::EndText
    )
}

/// `(?-u:…)` around it.
fn ascii_assertion(assertion: &Assertion) -> Ast {
    let span = assertion.span;
    let kinds = [FlagsItemKind::Negation, FlagsItemKind::Flag(Flag::Unicode)];
    let items = kinds.map(|kind| FlagsItem { span, kind }).to_vec();
    let kind = GroupKind::NonCapturing(Flags { span, items });
    Ast::group(Group { span, kind, ast: Box::new(Ast::assertion(assertion.clone())) })
}

const EXPRESSION_BYTES_MAX: usize = 10_000;
/// A shorter beginning is too common to tell much.
const BEGINNING_MIN: usize = 2;
/// A larger expression is built at once, so that it is known whether it is too large.
const SIZE_MAX: usize = 2_000;
