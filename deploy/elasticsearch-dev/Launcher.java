import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/** Starts one Elasticsearch node from its published jars. HOME is es.path.home; further -Des.KEY=VALUE are settings. */
public class Launcher {
    public static void main(String[] arguments) throws Exception {
        Settings.Builder settings = Settings.builder().put("discovery.type", "single-node");
        System.getProperties().stringPropertyNames().stream()
            .filter(key -> key.startsWith("es."))
            .forEach(key -> settings.put(key.substring(3), System.getProperty(key)));
        LogConfigurator.configureESLogging();
        Environment environment = new Environment(settings.build(), Path.of(System.getProperty("es.path.home"), "config"));
        PluginsLoader plugins = PluginsLoader.createPluginsLoader(
            PluginsLoader.loadModulesBundles(environment.modulesDir()), Set.of(), Map.of(), false);
        Node node = new Node(environment, plugins);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> { try { node.close(); } catch (Exception ignored) { } }));
        node.start();
        Thread.currentThread().join();
    }
}
