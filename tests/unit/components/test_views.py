import typing

import pytest

from components import views


def test_every_geometry_is_a_view_and_has_a_mirrored_one():
    assert len(views.VIEWS) == 2 * len(views.GEOMETRIES)
    for geometry in views.GEOMETRIES:
        assert [view for view in views.VIEWS if views.geometry(view) == geometry] == [
            geometry,
            f"{geometry}_mirrored",
        ]
        assert not views.is_mirrored(geometry)
        assert views.is_mirrored(f"{geometry}_mirrored")


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["squished"], ["squished"]),
        (["squished_mirrored"], ["squished"]),
        (["squished", "squished_mirrored"], ["squished"]),
        (["bottom", "squished", "top_mirrored"], ["squished", "top", "bottom"]),
        (views.VIEWS, views.GEOMETRIES),
        (views.VIEWS[::-1], views.GEOMETRIES),
    ],
)
def test_geometries_are_named_once_and_in_one_order(names, wanted):
    assert views.geometries(names) == tuple(wanted)


def test_the_type_of_a_view_lists_the_views():
    assert typing.get_args(views.ViewName) == views.VIEWS
