// A silo with stages made for tests: small, and they write down what they do.
//   Test__Notes     the file that executions are noted in
//   Test__Kinds     the kinds it hosts, with commas; all by default
//   Test__Version   the version of its kinds, 1 by default
//   Test__Cuda      1 to pretend that it has CUDA
using Ssti.Cluster;
using Ssti.Cluster.Host;

static string Setting(string name) => Environment.GetEnvironmentVariable("Test__" + name) ?? "";

var hosted = Setting("Kinds").Split(',', StringSplitOptions.RemoveEmptyEntries);
var kinds = TestKinds.All(Setting("Notes"), int.TryParse(Setting("Version"), out var version) ? version : 1);
return await ServiceHost.RunAsync(args, "test", () => [.. kinds.Where(kind => hosted.Length == 0 || hosted.Contains(kind.Name))], new TestProbe(Setting("Cuda") == "1"));
