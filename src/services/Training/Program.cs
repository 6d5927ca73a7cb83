using Ssti.Cluster;
using Ssti.Stages;

return await ServiceHost.RunAsync(args, "training", () => StageServices.Of("training", Environment.GetEnvironmentVariable), new ComputeProbe());
