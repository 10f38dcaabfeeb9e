//! Reads one regular expression. The syntax is that of the crate `regex`; look-around and
//! back-references are not in it. As in JavaScript, `\d`, `\w`, `\s` and `\b` mean ASCII, in a
//! text of Unicode characters: `.` and `[^x]` are whole characters. `\p{…}` is left out, for its
//! tables are larger than all the rest.

use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::ast::{
    Assertion, AssertionKind, Ast, ClassAscii, ClassAsciiKind, ClassBracketed, ClassPerl,
    ClassPerlKind, ClassSet, ClassSetItem, Flag, Flags, FlagsItem, FlagsItemKind, Group, GroupKind,
};
use regex_syntax::hir::Hir;
use regex_syntax::hir::translate::TranslatorBuilder;

/// What an expression means, or what is wrong with it.
pub(super) fn read(expression: &str, any_case: bool) -> Result<Hir, String> {
    if expression.len() > EXPRESSION_BYTES_MAX {
        return Err(format!("is longer than {EXPRESSION_BYTES_MAX} bytes"));
    }
    let mut parser = ParserBuilder::new().nest_limit(64).build();
    let mut ast = parser.parse(expression).map_err(|error| {
        let at = error.span().start.offset;
        format!("is not valid at byte {at}: {}", error.kind())
    })?;
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
