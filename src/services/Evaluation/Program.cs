using Ssti.Cluster;
using Ssti.Stages;

return await ServiceHost.RunAsync(args, "evaluation", () => StageServices.Of("evaluation", Environment.GetEnvironmentVariable), new ComputeProbe());
