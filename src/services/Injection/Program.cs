using Ssti.Cluster;
using Ssti.Stages;

return await ServiceHost.RunAsync(args, "injection", () => StageServices.Of("injection", Environment.GetEnvironmentVariable), new ComputeProbe());
