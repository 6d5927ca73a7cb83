using Ssti.Cluster;
using Ssti.Stages;

return await ServiceHost.RunAsync(args, "data-prep", () => StageServices.Of("data-prep", Environment.GetEnvironmentVariable), new ComputeProbe());
