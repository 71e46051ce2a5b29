from tests.support.gremlin_server import gremlin_server

__all__ = ["gremlin_server"]
