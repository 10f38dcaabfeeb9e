//! Prices: reading, cost tables, and that no count can beat the worst case.

use proptest::prelude::*;

use super::*;

fn price(text: &str) -> Result<Price, PriceError> {
    Price::read(text.split_whitespace().map(|pair| pair.split_once('=').unwrap()))
}

#[test]
fn a_price_is_read_or_the_error_names_kind_and_fix() {
    let cases = "
        prompt=0.15 completion=0.6                    | ok
        prompt=0 completion=0                         | ok
        prompt=0.15                                   | `completion` is missing; write \"0\" if it is free
        completion=1                                  | `prompt` is missing
        prompt=1 completion=1 promt=1                 | no price kind `promt`; valid are prompt, completion, cache_read
        prompt=1 prompt=1 completion=1                | `prompt` is given twice
        prompt=x completion=1                         | `prompt` is `x`: it is not a decimal
        prompt=0.0000001 completion=1                 | more than 6 decimal places
        prompt=-1 completion=1                        | `prompt` is `-1`; it must be from 0 to 1000000000
        prompt=1 completion=1 web_search=1000.1       | must be from 0 to 1000
        prompt=1 completion=1 request=0.000000000001  | ok
        prompt=0 completion=0 character=0.000015      | ok
        prompt=0 completion=0 second=0.000000001      | ok
        prompt=0 completion=0 second=0.0000000001     | more than 9 decimal places
        prompt=0 completion=0 image=1001              | must be from 0 to 1000
    ";
    for case in cases.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (text, expected) = case.split_once('|').unwrap();
        let found = match price(text) {
            Ok(_) => "ok".to_owned(),
            Err(error) => error.to_string(),
        };
        assert!(found.contains(expected.trim()), "{case}: {found}");
    }
}

#[test]
fn the_models_api_shows_exact_usd_per_token() {
    let price = price("prompt=0.15 completion=0.6 cache_write=0.1875 web_search=0.01").unwrap();
    let shown = Kind::ALL.map(|kind| format!("{kind}={}", price.per_token_usd(kind)));
    let expected = [
        "prompt=0.00000015",
        "completion=0.0000006",
        "cache_read=0.00000015",
        "cache_write=0.0000001875",
        "cache_write_1h=0.0000001875",
        "audio_prompt=0.00000015",
        "image_prompt=0.00000015",
        "audio_completion=0.0000006",
        "image_completion=0.0000006",
        "internal_reasoning=0.0000006",
        "request=0",
        "web_search=0.01",
        "character=0",
        "second=0",
        "image=0",
        "search_unit=0",
    ];
    assert_eq!(shown, expected);
}

#[test]
fn costs_are_exact_and_rounded_half_up_once() {
    let cache = "prompt=3 completion=15 cache_read=0.3 cache_write=3.75 cache_write_1h=6";
    let fine = "prompt=0.0004 completion=0.0005";
    // Price | prompt, completion, then named parts | nano-dollars prompt, completion, fees, total
    let cases = [
        (cache, "1000 500", [3_000_000, 7_500_000, 0, 10_500_000]),
        (cache, "1000 500 cached=900", [570_000, 7_500_000, 0, 8_070_000]),
        (cache, "1000 0 write=100 write_1h=100", [3_375_000, 0, 0, 3_375_000]),
        (cache, "0 0", [0, 0, 0, 0]),
        // Parts that claim more than the whole are charged as claimed.
        (cache, "10 0 cached=20", [6_000, 0, 0, 6_000]),
        ("prompt=1 completion=2 internal_reasoning=3", "0 10 thought=4", [0, 24_000, 0, 24_000]),
        ("prompt=1 completion=2 audio_prompt=10", "10 0 audio=3", [37_000, 0, 0, 37_000]),
        (
            "prompt=1 completion=2 request=0.001 web_search=0.01",
            "1 1 searches=2",
            [1_000, 2_000, 21_000_000, 21_003_000],
        ),
        // By the piece: characters, seconds down to the millisecond, pictures, units of ranking.
        ("prompt=0 completion=0 character=0.000015", "0 0 chars=7", [0, 0, 105_000, 105_000]),
        ("prompt=0 completion=0 second=0.0001", "0 0 ms=9200", [0, 0, 920_000, 920_000]),
        ("prompt=0 completion=0 second=0.000000001", "0 0 ms=1500", [0, 0, 2, 2]),
        ("prompt=0 completion=0 image=0.04", "0 0 images=3", [0, 0, 120_000_000, 120_000_000]),
        ("prompt=0 completion=0 search_unit=0.002", "0 0 units=1", [0, 0, 2_000_000, 2_000_000]),
        (
            "prompt=5 completion=40 image_prompt=10",
            "30 1 pictures=20",
            [250_000, 40_000, 0, 290_000],
        ),
        // 0.4 nano rounds down, 0.5 up, and 0.4 + 0.5 make 0.9, which is one in all.
        (fine, "1 0", [0, 0, 0, 0]),
        (fine, "0 1", [0, 1, 0, 1]),
        (fine, "1 1", [0, 1, 0, 1]),
        (fine, "2 1", [1, 0, 0, 1]),
    ];
    for (rates, counts, expected) in cases {
        let cost = price(rates).unwrap().cost(&read_counts(counts));
        let found = [cost.prompt, cost.completion, cost.fees, cost.total].map(Money::nanos);
        assert_eq!(found, expected, "{rates} | {counts}");
    }
}

fn read_counts(text: &str) -> Counts {
    let mut words = text.split_whitespace();
    let mut counts = Counts {
        prompt: words.next().unwrap().parse().unwrap(),
        completion: words.next().unwrap().parse().unwrap(),
        requests: 1,
        ..Counts::default()
    };
    for (name, value) in words.map(|word| word.split_once('=').unwrap()) {
        let field = match name {
            "cached" => &mut counts.cached,
            "write" => &mut counts.cache_write,
            "write_1h" => &mut counts.cache_write_1h,
            "audio" => &mut counts.audio_prompt,
            "thought" => &mut counts.reasoning,
            "searches" => &mut counts.web_searches,
            "pictures" => &mut counts.image_prompt,
            "chars" => &mut counts.characters,
            "ms" => &mut counts.sound_ms,
            "images" => &mut counts.images,
            "units" => &mut counts.search_units,
            other => panic!("no count `{other}`"),
        };
        *field = value.parse().unwrap();
    }
    counts
}

#[test]
fn a_hostile_count_costs_the_largest_amount_and_does_not_overflow() {
    let dear = "prompt=1000000000 completion=1000000000 request=1000 web_search=1000";
    let all = u64::MAX;
    let counts = Counts {
        prompt: all,
        completion: all,
        cached: all,
        cache_write: all,
        cache_write_1h: all,
        audio_prompt: all,
        reasoning: all,
        audio_completion: all,
        image_completion: all,
        web_searches: all,
        requests: all,
        image_prompt: all,
        characters: all,
        sound_ms: all,
        images: all,
        search_units: all,
    };
    assert_eq!(price(dear).unwrap().cost(&counts).total, Money::MAX);
    assert_eq!(price(dear).unwrap().cost_max(all, all), Money::MAX);
}

fn any_price() -> impl Strategy<Value = Price> {
    proptest::collection::vec(0u64..100_000_000, 15).prop_map(|rates| Price {
        prompt: rates[0],
        completion: rates[1],
        cache_read: rates[2],
        cache_write: rates[3],
        cache_write_1h: rates[4],
        audio_prompt: rates[5],
        audio_completion: rates[6],
        image_completion: rates[7],
        internal_reasoning: rates[8],
        request: rates[9],
        web_search: 0,
        image_prompt: rates[10],
        character: rates[11],
        second: rates[12],
        image: rates[13],
        search_unit: rates[14],
    })
}

proptest! {
    #[test]
    fn parts_add_up_and_no_split_beats_the_worst_case(
        price in any_price(),
        prompt in proptest::array::uniform6(0u64..1_000_000),
        completion in proptest::array::uniform4(0u64..1_000_000),
        pieces in proptest::array::uniform4(0u64..1_000_000),
    ) {
        let counts = Counts {
            prompt: prompt.iter().sum(),
            completion: completion.iter().sum(),
            cached: prompt[0],
            cache_write: prompt[1],
            cache_write_1h: prompt[2],
            audio_prompt: prompt[3],
            reasoning: completion[0],
            audio_completion: completion[1],
            image_completion: completion[2],
            image_prompt: prompt[4],
            web_searches: 0,
            requests: 1,
            characters: pieces[0],
            sound_ms: pieces[1],
            images: pieces[2],
            search_units: pieces[3],
        };
        let cost = price.cost(&counts);
        let parts = cost.prompt.nanos() + cost.completion.nanos() + cost.fees.nanos();
        prop_assert_eq!(parts, cost.total.nanos());
        prop_assert!(cost.total <= price.cost_max_of(&counts));
        let plain = Counts { characters: 0, sound_ms: 0, images: 0, search_units: 0, ..counts };
        let most = price.cost_max(counts.prompt, counts.completion);
        prop_assert!(price.cost(&plain).total <= most);
    }
}
