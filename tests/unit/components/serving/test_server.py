from components.serving.server import url_of


def test_an_address_of_ipv6_stands_in_brackets():
    assert url_of("127.0.0.1", 8501) == "http://127.0.0.1:8501"
    assert url_of("::1", 8501) == "http://[::1]:8501"
