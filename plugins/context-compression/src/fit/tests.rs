//! Fates by numbers.

use super::Fate::{Cut, Drop, Keep};
use super::{Fate, Hold, Unit, by_messages, by_tokens};

fn unit(hold: Hold, text: u64) -> Unit {
    Unit { messages: 1, base: 4, texts: vec![text], hold }
}

fn free(texts: &[u64]) -> Vec<Unit> {
    texts.iter().map(|text| unit(Hold::Free, *text)).collect()
}

fn size(units: &[Unit], fates: &[Fate]) -> u64 {
    let pairs = units.iter().zip(fates);
    let sizes = pairs.map(|(unit, fate)| match fate {
        Keep => unit.total(),
        Cut(level) => unit.base + unit.texts.iter().map(|text| text.min(level)).sum::<u64>(),
        Drop => 0,
    });
    sizes.sum()
}

#[test]
fn the_middle_goes_and_both_ends_stay() {
    let fates = by_tokens(&free(&[96; 10]), 420).unwrap();
    assert_eq!(fates, [Keep, Keep, Drop, Drop, Drop, Drop, Drop, Drop, Keep, Keep]);
}

#[test]
fn what_is_left_of_the_room_is_filled_with_a_cut_text() {
    let units = free(&[96; 10]);
    let fates = by_tokens(&units, 480).unwrap();
    assert_eq!(fates, [Keep, Keep, Cut(36), Drop, Drop, Drop, Drop, Cut(36), Keep, Keep]);
    assert_eq!(size(&units, &fates), 480);
}

#[test]
fn a_giant_at_the_end_leaves_the_beginning_its_half() {
    let units = free(&[96, 96, 96, 96, 96, 9000]);
    let fates = by_tokens(&units, 1000).unwrap();
    assert_eq!(fates, [Keep, Keep, Keep, Keep, Keep, Cut(496)]);
    let units = free(&[9000, 96, 96, 96, 96, 96]);
    assert_eq!(by_tokens(&units, 1000).unwrap(), [Cut(496), Keep, Keep, Keep, Keep, Keep]);
}

#[test]
fn a_giant_beside_little_has_all_that_is_left() {
    let units = free(&[9000, 96, 96]);
    assert_eq!(by_tokens(&units, 1000).unwrap(), [Cut(796), Keep, Keep]);
}

#[test]
fn two_giants_share_the_room() {
    let units = free(&[9000, 9000]);
    let fates = by_tokens(&units, 1000).unwrap();
    assert_eq!(fates, [Cut(496), Cut(496)]);
}

#[test]
fn what_must_stay_is_cut_when_it_alone_is_too_much() {
    let units = [unit(Hold::Whole, 96), unit(Hold::Free, 96), unit(Hold::Present, 5000)];
    let fates = by_tokens(&units, 1000).unwrap();
    assert_eq!(fates, [Keep, Drop, Cut(896)]);
    assert_eq!(size(&units, &fates), 1000);
}

#[test]
fn short_texts_stay_whole_beside_a_long_one() {
    let texts = Unit { messages: 3, base: 10, texts: vec![20, 900, 50], hold: Hold::Present };
    assert_eq!(by_tokens(&[texts], 300).unwrap(), [Cut(220)]);
}

#[test]
fn nothing_can_be_done_when_what_must_stay_whole_is_too_much() {
    assert_eq!(by_tokens(&[unit(Hold::Whole, 1000), unit(Hold::Present, 10)], 900), None);
    assert_eq!(by_tokens(&[unit(Hold::Whole, 880), unit(Hold::Present, 100)], 900), None);
}

#[test]
fn the_first_and_the_last_half_of_the_messages_stay() {
    let mut units = free(&[1; 9]);
    assert_eq!(by_messages(&units, 4), [Keep, Keep, Drop, Drop, Drop, Drop, Drop, Keep, Keep]);
    units[4].hold = Hold::Present;
    assert_eq!(by_messages(&units, 4), [Keep, Drop, Drop, Drop, Keep, Drop, Drop, Keep, Keep]);
}

#[test]
fn a_group_that_does_not_fit_whole_ends_its_side() {
    let mut units = free(&[1; 4]);
    units[2].messages = 7;
    assert_eq!(by_messages(&units, 4), [Keep, Keep, Drop, Keep]);
}

#[test]
fn many_units_and_huge_numbers_are_no_trouble() {
    let mut units = free(&vec![5; 100_000]);
    units.push(unit(Hold::Free, u64::MAX));
    units.push(unit(Hold::Present, u64::MAX));
    let fates = by_tokens(&units, 1000).unwrap();
    assert_eq!(fates.last(), Some(&Cut(996)));
    assert!(fates.iter().filter(|fate| **fate == Drop).count() == 100_001);
}
