"""Invented film titles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_ADJECTIVES = _words("""
    Amber Ancient Autumn Bitter Borrowed Brittle Broken Burning Careless Clumsy Cobalt
    Copper Counterfeit Crooked Distant Drowsy Electric Empty Endless Faithful Fearless Feral
    Final First Forgotten Fragile Frozen Gentle Gilded Golden Half-Open Hidden Hollow Honest
    Idle Impossible Indigo Invisible Ivory Last Little Lonely Lost Lucky Marble Midnight Modest
    Moonlit Narrow Nameless Northern Paper Patient Perfect Quiet Reckless Restless Rusty Salted
    Scarlet Second Secret Seventh Silent Silver Sleepless Slow Southern Stolen Stubborn Sudden
    Tender Thirteenth Uninvited Unwritten Velvet Wandering Whispering Wicked Wild Winter Wooden
""")
_NOUNS = _words("""
    Accordion Alibi Archive Avalanche Ballroom Beacon Bicycle Boulevard Bride Carousel Cathedral
    Chandelier Circus Clockmaker Comet Corridor Courtyard Cousin Crossing Daughter Detective
    Dragonfly Echo Elevator Ember Engine Falcon Ferry Festival Frontier Garden Ghost Glacier
    Harbour Harvest Honeymoon Horizon Hotel House Island Jury Key Kingdom Ladder Lantern Letter
    Lighthouse Lullaby Machine Magician Mannequin Map Meadow Meteor Mirror Monsoon Neighbour
    Nightingale Oath Orchard Orbit Parade Passenger Picnic Piano Portrait Promise Quarry Railway
    Reunion River Robot Satellite Season Shadow Signal Sparrow Stairwell Stranger Summer Suitcase
    Tailor Tempest Tide Tiger Tower Umbrella Valley Violin Visitor Voyage Waltz Wedding Window
""")
_PLACES = (
    "Århus",
    "Belvárda",
    "Calle Luna",
    "Doña Inés",
    "Elm Street West",
    "Fårholm",
    "Gränsö",
    "Harrow Bay",
    "Île Dorée",
    "Jökulvík",
    "Kestrel Hill",
    "La Bañera",
    "Málanca",
    "Nørreby",
    "Orchard Road",
    "Port Sévigny",
    "Quai d'Été",
    "Rua São Telmo",
    "Saint-Aurèle",
    "Tannenbrück",
    "Umbría",
    "Vila do Açor",
    "Wrenfield",
    "Zürnbach",
)
_NAMES = _words("""
    Adèle Agnès Anselm Aurélie Beatriz Björn Cosima Désirée Edith Félix Giselle Henrik Inês
    Joaquín Käthe Léonie Marguerite Milo Noémie Oskar Pilar Quentin Renée Søren Thérèse Ulla
    Viggo Wilhelmina Xavier Yseult Zoë
""")
# Patterns that are listed several times come up as much more often.
_PATTERNS = (
    *["The {adjective} {noun}"] * 5,
    *["{adjective} {noun}"] * 3,
    *["The {noun} and the {other}", "{article} {noun} for {name}"] * 2,
    *["{name}'s {noun}", "The {noun} of {place}"] * 2,
    "{noun} in {place}",
    "Goodbye, {adjective} {noun}",
    "{name} & the {adjective} {noun}",
)


def draw_title(rng: np.random.Generator) -> str:
    """An invented title without its year; about one in six has letters outside ASCII."""
    adjective, place, name = _one(_ADJECTIVES, rng), _one(_PLACES, rng), _one(_NAMES, rng)
    noun, other = (_NOUNS[at] for at in rng.choice(len(_NOUNS), 2, replace=False).tolist())
    article = "An" if noun[0] in "AEIOU" else "A"
    title = _one(_PATTERNS, rng)
    return title.format(
        adjective=adjective, noun=noun, other=other, place=place, name=name, article=article
    )


def _one(words: Sequence[str], rng: np.random.Generator) -> str:
    return words[int(rng.integers(len(words)))]
