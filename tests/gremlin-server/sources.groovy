import org.apache.commons.configuration2.BaseConfiguration
import org.apache.tinkerpop.gremlin.tinkergraph.structure.TinkerGraph

def globals = [:]
globals << [g: graph.traversal(), transactional: kept.traversal()]
// More of them, for tests that compare graphs.
(0..<8).each { n ->
    def settings = new BaseConfiguration()
    graph.configuration().keys.each { settings.setProperty(it, graph.configuration().getProperty(it)) }
    globals["spare" + n] = TinkerGraph.open(settings).traversal()
}
globals
