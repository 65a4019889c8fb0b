"""MadGraph's syntax of processes."""

from __future__ import annotations

import re

import pytest

from madnis_py.card.card import Card
from madnis_py.errors import CardError
from madnis_py.physics.definition.definition import Definition
from madnis_py.physics.definition.definition_reader import definition_of
from madnis_py.physics.diagrams.coupling_orders import OrderLimit
from madnis_py.physics.diagrams.reactions import Branch, Reaction
from madnis_py.physics.diagrams.restrictions import Restrictions
from madnis_py.physics.model_search.card_model import model_from_card

W_TO_ELECTRON = Reaction((24,), (Branch(-11), Branch(12)))
W_TO_MUON = Reaction((-24,), (Branch(13), Branch(-14)))


def definition(
    text: str, multiparticles: dict[str, str | list[str]] | None = None, **parameters: float
) -> Definition:
    process = {"definition": text, "multiparticles": multiparticles}
    card = Card.parse({"process": process, "parameters": parameters})
    return definition_of(card, model_from_card(card))


def reactions(text: str, **parameters: object) -> tuple[Reaction, ...]:
    card = Card.parse({"process": {"definition": text}, "parameters": parameters})
    model = model_from_card(card)
    return definition_of(card, model).reactions(model)


def legs(text: str, **parameters: object) -> list[tuple[int, ...]]:
    return [reaction.legs for reaction in reactions(text, **parameters)]


def test_definite_particles_are_one_reaction() -> None:
    assert reactions("g g > t t~ h") == (Reaction((21, 21), (Branch(6), Branch(-6), Branch(25))),)


def test_flavours_keep_the_order_of_the_product_and_conserve_charge() -> None:
    expected = [(a, -a, -11, 11) for a in (1, 2, 3, 4, -1, -2, -3, -4)]
    found = [
        flavours
        for flavours in legs("p p > e+ e-")
        if 21 not in flavours and flavours[0] == -flavours[1]
    ]
    assert found == expected


def test_every_combination_that_conserves_charge_and_fermions_is_kept() -> None:
    assert legs("u d~ > l+ vl") == [(2, -1, -11, 12), (2, -1, -13, 14)]
    assert legs("u j > d j") == [(2, a, 1, a + 1) for a in (1, 3)] + [
        (2, a, 1, a + 1) for a in (-2, -4)
    ]


def test_a_ckm_matrix_lets_quarks_of_all_generations_change_into_each_other() -> None:
    assert legs("u s~ > c d~", lamWS=0.2) == [(2, -3, 4, -1)]
    assert legs("u s~ > c d~") == []
    assert legs("u s~ > e+ vm", lamWS=0.2) == []


def test_nothing_is_asked_about_colour() -> None:
    assert legs("u u~ > g a g") == [(2, -2, 21, 22, 21)]
    assert legs("g a > a a") == [(21, 22, 22, 22)]


@pytest.mark.parametrize(
    ("values", "count"), [({}, 9), ({"MB": 0.0}, 11), ({"MC": 1.5}, 7), ({"MB": 0, "MC": 1}, 9)]
)
def test_protons_hold_the_massless_flavours(
    values: dict[str, float] | dict[str, int], count: int
) -> None:
    assert len(definition("p p > e+ e-", **values).incoming[0]) == count


@pytest.mark.parametrize(
    ("text", "n_incoming"), [("t > b w+", 1), ("b b~ > h", 2), ("e+ e- > z h", 2)]
)
def test_one_or_two_particles_come_in(text: str, n_incoming: int) -> None:
    read = definition(text)
    assert read.n_incoming == n_incoming == len(read.incoming)
    assert len(read.incoming) + len(read.outgoing) == len(read.legs) == len(legs(text)[0])


@pytest.mark.parametrize(
    ("text", "orders"),
    [
        ("u u~ > e+ e-", ()),
        ("u u~ > e+ e- QCD=0 QED=2", (OrderLimit("QCD", 0), OrderLimit("QED", 2))),
        ("u u~ > e+ e- QED<=2 QCD<=99", (OrderLimit("QED", 2), OrderLimit("QCD", 99))),
        ("u u~ > e+ e- QED = 2", (OrderLimit("QED", 2),)),
        ("u u~ > e+ e- qcd<= 1", (OrderLimit("QCD", 1),)),
        ("u u~ > e+ e- WEIGHTED=4", (OrderLimit("WEIGHTED", 4),)),
        ("u u~ > e+ e- WEIGHTED<=4 / z", (OrderLimit("WEIGHTED", 4),)),
        ("u u~ > e+ e- / z QED=2", (OrderLimit("QED", 2),)),
        ("u u~ > e+ e- QED=2 @3", (OrderLimit("QED", 2),)),
        ("u u~ > e+ e- @3 QED=2", (OrderLimit("QED", 2),)),
        ("u u~ > e+ e- EW=2", (OrderLimit("QED", 2),)),
        ("u u~ > e+ e- QED==2", (OrderLimit("QED", 2, "=="),)),
        ("u u~ > e+ e- QED > 1", (OrderLimit("QED", 1, ">"),)),
        ("u u~ > e+ e- QED^2==4", (OrderLimit("QED", 4, "==", squared=True),)),
        ("u u~ > e+ e- QCD^2 =2", (OrderLimit("QCD", 2, "<=", squared=True),)),
        ("u u~ > e+ e- QED^2>2", (OrderLimit("QED", 2, ">", squared=True),)),
        ("u u~ > e+ e- aEW<=2", (OrderLimit("QED", 4, "<=", squared=True),)),
        ("u u~ > e+ e- aS=1 QED=3", (OrderLimit("QCD", 2, squared=True), OrderLimit("QED", 3))),
    ],
)
def test_coupling_orders(text: str, orders: tuple[OrderLimit, ...]) -> None:
    (reaction,) = reactions(text)
    assert reaction.orders == orders
    assert reaction.legs == (2, -2, -11, 11)


@pytest.mark.parametrize(
    ("text", "excluded"),
    [
        ("u u~ > e+ e- / z h", (23, 25)),
        ("u u~ > e+ e-/z", (23,)),
        ("u u~ > e+ e- / w- QED=2", (24,)),
        ("u u~ > e+ e- / l+ e-", (11, 13)),
    ],
)
def test_excluded_particles(text: str, excluded: tuple[int, ...]) -> None:
    assert reactions(text)[0].restrictions == Restrictions(excluded=excluded)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("p p > e+ e-", None),
        ("p p > e+ e- @0", 0),
        ("p p > e+ e- QED=2 @ 12", 12),
        ("p p > t t~ @3 QCD=2", 3),
        ("p p > t t~, (t > b w+, w+ > j j) @1", 1),
        ("p p > t t~ @1, t > b w+", 1),
    ],
)
def test_process_numbers(text: str, number: int | None) -> None:
    assert definition(text).number == number
    assert definition(text).core == definition(re.sub(r"@ ?\d+", "", text)).core


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("p p > 2j", "p p > j j"),
        ("p p > t t~ 2j", "p p > t t~ j j"),
        ("2 -2 > 11 -11", "u u~ > e- e+"),
        ("P P > E+ e-", "p p > e+ e-"),
        ("p p > t t~, t > b w+,", "p p > t t~, t > b w+"),
    ],
)
def test_digits_repeat_codes_name_particles_and_a_comma_may_end(text: str, same: str) -> None:
    assert [legs.alternatives for legs in definition(text).core.outgoing] == [
        legs.alternatives for legs in definition(same).core.outgoing
    ]
    assert reactions(text) == reactions(same)


@pytest.mark.parametrize(
    ("multiparticles", "text", "alternatives"),
    [
        ({"heavy": "t b"}, "heavy", (6, 5)),
        ({"heavy": ["t", "B"]}, "HEAVY", (6, 5)),
        ({"j": "u d"}, "j", (2, 1)),
        ({"j": "j b"}, "j", (21, 1, 2, 3, 4, -1, -2, -3, -4, 5)),
        ({"lep": "l- ta-", "fermion": "lep vl"}, "fermion", (11, 13, 15, 12, 14, 16)),
        ({"fermion": "lep vl", "lep": "l- ta-"}, "fermion", (11, 13, 15, 12, 14, 16)),
        ({"q": "p / g"}, "q", (1, 2, 3, 4, -1, -2, -3, -4)),
        ({"q": "u u u -1"}, "q", (2, -1)),
    ],
)
def test_labels_of_the_card(
    multiparticles: dict[str, str | list[str]], text: str, alternatives: tuple[int, ...]
) -> None:
    legs = definition(f"all all > {text} all", multiparticles).core.outgoing
    assert legs[0].alternatives == alternatives


@pytest.mark.parametrize(
    ("multiparticles", "sentence"),
    [
        ({"a1": "b1", "b1": "a1"}, "a1: expected labels that are not made of each other"),
        ({"x": "quark"}, 'x: unknown particle "quark" of model sm'),
        ({"z": "z a"}, 'z: expected a label that is no particle; got "z"'),
        ({"11": "z a"}, '11: expected a label that is no particle; got "11"'),
        ({"x": "u / u"}, 'x: expected particles; got "u / u"'),
        ({"x": "u|d"}, 'x: unknown particle "u|d" of model sm'),
    ],
)
def test_labels_that_stand_for_nothing_are_refused(
    multiparticles: dict[str, str | list[str]], sentence: str
) -> None:
    with pytest.raises(CardError, match="^card: process.multiparticles: " + re.escape(sentence)):
        definition("p p > e+ e-", multiparticles)


@pytest.mark.parametrize(
    ("text", "restrictions"),
    [
        ("u u~ > z > e+ e-", Restrictions(required=((23,),))),
        ("u u~ > z|a > e+ e-", Restrictions(required=((23,), (22,)))),
        ("u u~ > w+ w- > e+ e-", Restrictions(required=((24, -24),))),
        ("u u~ > z z | h > e+ e-", Restrictions(required=((23,), (25,)))),
        ("u u~ > v > e+ e-", Restrictions(required=((23,), (22,)))),
        ("u u~ > v w+ > e+ e-", Restrictions(required=((23, 24), (22, 24)))),
        ("u u~ > e+ e- $$ z w- / h", Restrictions(forbidden=(23, -24), excluded=(25,))),
        ("u u~ > e+ e- $ z w+ $$ h", Restrictions(forbidden=(25,), off_shell=(23, 24))),
        ("u u~ > z > e+ e- / w+ $$ v a", Restrictions((24,), ((23,),), (23, 22))),
    ],
)
def test_restrictions(text: str, restrictions: Restrictions) -> None:
    assert definition(text, {"v": "z a"}).core.restrictions == restrictions


def test_restrictions_belong_to_their_step_and_behind_brackets_to_all_inside() -> None:
    text = "p p > z > t t~, (t > w+ > b e+ ve $$ h) $$ z / a, t~ > b~ w-"
    core = definition(text).core
    decays = [leg.decay.restrictions for leg in core.outgoing if leg.decay is not None]
    assert core.restrictions == Restrictions(required=((23,),))
    assert decays == [Restrictions((22,), ((24,),), (25, 23)), Restrictions()]


def test_spaces_and_capitals_do_not_matter() -> None:
    assert reactions("u u~>T t~,T>b W+") == reactions("u u~ > t t~, t > b w+")


def test_decays_take_the_place_of_their_parents() -> None:
    (reaction,) = reactions("g g > t t~, t > b w+, t~ > b~ w-")
    assert [branch.pdg for branch in reaction.outgoing] == [6, -6]
    assert reaction.legs == (21, 21, 5, 24, -5, -24)


def test_nested_decays() -> None:
    (reaction,) = reactions("g g > t t~ g, (t > b w+, w+ > e+ ve), (t~ > b~ w-, w- > mu- vm~)")
    assert reaction == Reaction(
        (21, 21),
        (
            Branch(6, Reaction((6,), (Branch(5), Branch(24, W_TO_ELECTRON)))),
            Branch(-6, Reaction((-6,), (Branch(-5), Branch(-24, W_TO_MUON)))),
            Branch(21),
        ),
    )
    assert reaction.legs == (21, 21, 5, -11, 12, -5, 13, -14, 21)


def test_brackets_in_brackets() -> None:
    (reaction,) = reactions("g g > h, (h > t t~, (t > b w+, w+ > e+ ve))")
    assert reaction.legs == (21, 21, 5, -11, 12, -6)


def test_the_decay_of_a_decaying_particle() -> None:
    (reaction,) = reactions("t > b w+, w+ > e+ ve")
    assert reaction == Reaction((6,), (Branch(5), Branch(24, W_TO_ELECTRON)))
    assert reaction.legs == (6, 5, -11, 12)


def test_orders_and_exclusions_belong_to_their_step() -> None:
    (reaction,) = reactions("g g > t t~ QCD=2 / h, t > b w+ QED<=1 / z")
    decay = reaction.outgoing[0].decay
    assert (reaction.orders, reaction.restrictions.excluded) == ((OrderLimit("QCD", 2),), (25,))
    assert decay is not None
    assert (decay.orders, decay.restrictions.excluded) == ((OrderLimit("QED", 1),), (23,))


def test_what_is_excluded_behind_brackets_is_so_in_the_whole_chain() -> None:
    single = "p p > t t~ / h, (t > b w+) / h z, t~ > b~ w-"
    assert reactions(single) == reactions("p p > t t~ / h, t > b w+ / h z, t~ > b~ w-")
    chain = "p p > t t~ l- l+ / h, (t > b w+ / z, w+ > l+ vl) / h, (t~ > b~ l- vl~)/h"
    inside = "p p > t t~ l- l+ / h, (t > b w+ / z h, w+ > l+ vl / h), t~ > b~ l- vl~ / h"
    assert reactions(chain) == reactions(inside)


def test_one_decay_serves_all_equal_particles() -> None:
    assert legs("e+ e- > z z h, z > mu+ mu-") == [(-11, 11, -13, 13, -13, 13, 25)]


def test_several_decays_of_equal_particles_go_by_order() -> None:
    assert legs("e+ e- > z h z, z > mu+ mu-, z > u u~") == [(-11, 11, -13, 13, 25, 2, -2)]


def test_decays_of_the_same_label_multiply() -> None:
    found = legs("u u~ > w+ w-, w+ > l+ vl, w- > l- vl~")
    expected = [(2, -2, -a, a + 1, b, -b - 1) for a in (11, 13) for b in (11, 13)]
    assert found == expected


def test_every_decay_conserves_charge_and_comes_in_one_order() -> None:
    assert legs("u d~ > w+ z, w+ > j j") == [(2, -1, 2, -1, 23), (2, -1, 4, -3, 23)]


def test_equal_decays_in_another_order_are_one_at_any_depth() -> None:
    (reaction,) = reactions("e+ e- > h z, (h > z z, z > e+ e-, z > mu+ mu-), z > ve ve~")
    (other,) = reactions("e+ e- > z h, (h > z z, z > mu- mu+, z > e- e+), z > ve~ ve")
    assert reaction != other
    assert reaction.content == other.content


def test_alternatives_of_the_legs_include_decay_products() -> None:
    read = definition("p p > z j, z > l+ l-")
    assert read.outgoing == ((-11, -13), (11, 13), read.incoming[0])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("p p > mu mu", 'unknown particle "mu" of model sm; did you mean "mu'),
        ("p p > e+ e- / zz", 'unknown particle "zz" of model sm'),
        ("p p > t t~, t > b wplus", 'unknown particle "wplus" of model sm'),
        ("p p", 'expected "incoming > outgoing QCD=n QED=n / excluded"; got "p p"'),
        ("p p -> e+ e-", 'expected "incoming > outgoing QCD=n QED=n / excluded"; got "p p - > e+'),
        ("p p >", 'expected "incoming > outgoing QCD=n QED=n / excluded"; got "p p >"'),
        ("> e+ e-", 'expected "incoming > outgoing QCD=n QED=n / excluded"; got "> e+ e-"'),
        ("p p > t t~, t", 'expected "incoming > outgoing QCD=n QED=n / excluded"; got "t"'),
        (
            "p p > t t~,,",
            'expected "incoming > outgoing QCD=n QED=n / excluded"; got "p p > t t~,,"',
        ),
        (
            "p p > (t t~)",
            'expected "incoming > outgoing QCD=n QED=n / excluded"; got "p p > (t t~)"',
        ),
        ("p p > t t~, (t > b w+", 'expected brackets in pairs; got "p p > t t~, (t > b w+"'),
        ("p p > t t~, t > b w+)", 'expected brackets in pairs; got "p p > t t~, t > b w+)"'),
        ("p p > t t~, (t > b w+) /", 'expected particles after "/"; got "(t > b w+) /"'),
        (
            "p p > t t~, (t > b w+) / h QED=1",
            'expected "/ excluded", "$$" or "$" alone behind brackets; got "(t > b w+) / h QED=1"',
        ),
        (
            "p p > t t~, (t > b w+) w+ > j j",
            'expected "/ excluded", "$$" or "$" alone behind brackets; got "(t > b w+) w+ > j j"',
        ),
        (
            "p p > t t~, (t > b w+) / (h)",
            'expected particles after "/"; got "(t > b w+) / (h)"',
        ),
        (
            "p p > t t~, " + 3000 * "(t > b w+, ",
            "expected at most 20 brackets in each other; got more",
        ),
        (
            "all all > all all all all",
            "expected at most 1,000,000 combinations of flavours; got 1,718,076",
        ),
        ("p p >" + 7 * " j", "expected at most 1,000,000 choices of particles; got 4,782,969"),
        ("u u > e+ e-", 'expected a process that conserves electric charge; got "u u > e+ e-"'),
        (
            "p p > t t~, t > b w-",
            'expected a process that conserves electric charge; got "t > b w-"',
        ),
        ("p p p > e+ e-", 'expected one or two incoming particles; got "p p p > e+ e-"'),
        ("p p > t t~, z > e+ e-", "expected a decay of t, t~; got one of z"),
        (
            "p p > t t~, t > b w+, w+ > e+ ve",
            "expected a decay of t, t~; got one of w+ (decays of decay products stand",
        ),
        (
            "p p > t t~, u u~ > e+ e-",
            'expected the decay of one particle after a comma; got that of "u u~"',
        ),
        ("p p > z h, z > e+ e-, z > mu+ mu-", "expected one decay for 1 z; got 2"),
        ("p p > z z z, z > e+ e-, z > mu+ mu-", "expected one decay or 3 for 3 z; got 2"),
        (
            "p p > t t~, t > b w+ QED^2==2",
            "expected orders of the squared amplitude at the core process alone; got QED^2==2 in a "
            "decay",
        ),
        ("p p > e+ e- QCDD=2", 'unknown coupling order "QCDD"; did you mean "QCD"?'),
        ("p p > e+ e- NP=2", 'unknown coupling order "NP"; known are QCD, QED, WEIGHTED'),
        ("p p > e+ e- QCD=2 QCD<=1", "expected every coupling order once; got"),
        (
            "p p > e+ e- QCD=two",
            'expected a coupling order as QCD=2, QCD<=2, QCD==2 or QCD>2; got "QCD=two"',
        ),
        (
            "p p > e+ e- QCD=-1",
            'expected a coupling order as QCD=2, QCD<=2, QCD==2 or QCD>2; got "QCD=-1"',
        ),
        ("p p > e+ e- /", 'expected particles after "/"; got "p p > e+ e- /"'),
        ("p p > e+ e- [QCD]", "expected a definition without [ ] (loops)"),
        ("p p > e+ e- @1 @2", "expected one process number, outside of brackets; got"),
        ("p p > t t~, (t > b w+ @1)", "expected one process number, outside of brackets; got"),
        (
            "p p > t t~, t > b w+ @1 QCD=2",
            "expected the orders of a decay chain with its steps, before the process number; got "
            '"QCD=2" behind it',
        ),
        ("p p > e+ e- @x", 'expected particles, orders or restrictions; got " @x"'),
        ("p p > h{0} z", "expected no polarisation of h, which has no spin; got {0}"),
        ("p p > z{T} z", "expected the same polarisation of equal particles, or other ones; got"),
        (
            "p p > w+ w-, w+{0} > e+ ve",
            "expected the polarisation of w+ where it is produced; got w+{0} in its decay",
        ),
        ("p p > e+ e- | z", 'expected "incoming > outgoing QCD=n QED=n / excluded"; got'),
        ("p p > z | > e+ e-", 'expected "incoming > outgoing QCD=n QED=n / excluded"; got'),
        ("p p > w+{0} > l+ vl", "expected braces on incoming and outgoing particles alone; got"),
        ("p p > w+{0 w-", 'expected particles, orders or restrictions; got "{0 w-"'),
        ("p p > e+ e- QED>=2", "expected a coupling order as QCD=2, QCD<=2, QCD==2 or QCD>2"),
        ("p p > e+ e- QED!=2", "expected a coupling order as QCD=2, QCD<=2, QCD==2 or QCD>2"),
        ("p p > e+ e- QED===2", "expected a coupling order as QCD=2, QCD<=2, QCD==2 or QCD>2"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(CardError, match="^card: process.definition: " + re.escape(sentence)):
        definition(text)
