using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Ssti.AppHost;

// Before the builder, which reads them.
var addresses = DashboardAddresses.Settle();
var builder = DistributedApplication.CreateBuilder(args);
// A service that is still starting is no news, and none that takes pages of traces: how each is, the dashboard shows.
builder.Services.AddLogging(logging => logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None));
var root = Path.GetFullPath("..", builder.AppHostDirectory);
var store = Surroundings.Store(builder.Configuration, root);

// Containers where an engine runs them; else the same services on what this machine has. A manifest always describes the containers.
var surroundings = builder.ExecutionContext.IsPublishMode ? Surroundings.Containers : Surroundings.Find(builder.Configuration);
if (builder.ExecutionContext.IsRunMode) Console.WriteLine(addresses is null ? surroundings.Notice : $"{surroundings.Notice}\n{addresses}");

var cluster = surroundings.Kind switch
{
    SurroundingsKind.Containers => Containers(),
    SurroundingsKind.RedisServer => LocalRedis(surroundings.RedisServer!),
    _ => LocalPorts(),
};

// Each service hosts its own kinds of stage. No launch profiles: two projects must not share one's port.
var dataPrep = cluster.First(builder.AddProject<Projects.Ssti_DataPrep>("data-prep", project => project.ExcludeLaunchProfile = true))
    .WithHttpEndpoint(name: "http").WithHttpHealthCheck("/health");

var injection = cluster.Other(builder.AddProject<Projects.Ssti_InjectionService>("injection", project => project.ExcludeLaunchProfile = true), dataPrep)
    .WithHttpEndpoint(name: "http").WithHttpHealthCheck("/health");

var training = cluster.Other(builder.AddProject<Projects.Ssti_TrainingService>("training", project => project.ExcludeLaunchProfile = true), dataPrep)
    .WithHttpEndpoint(name: "http").WithHttpHealthCheck("/health")
    .WithReplicas(builder.Configuration.GetValue("training-replicas", 1));

var evaluation = cluster.Other(builder.AddProject<Projects.Ssti_EvaluationService>("evaluation", project => project.ExcludeLaunchProfile = true), dataPrep)
    .WithHttpEndpoint(name: "http").WithHttpHealthCheck("/health");

// A button for each file in pipelines/, or in the folder that --pipelines names: it runs there, on the services above.
if (builder.ExecutionContext.IsRunMode)
{
    builder.AddPipelines("pipelines", Path.GetFullPath(builder.Configuration["pipelines"] ?? "pipelines", root), (name, file) => cluster
        .Run(builder.AddProject<Projects.Ssti_Cli>(name, project => project.ExcludeLaunchProfile = true), file, store)
        .WaitFor(dataPrep).WaitFor(injection).WaitFor(training).WaitFor(evaluation));
    Announcement.Add(builder, dataPrep, injection, training, evaluation);
}

builder.Build().Run();

// Membership in Redis, artifacts in MinIO.
Cluster Containers()
{
#pragma warning disable ASPIRECERTIFICATES001 // with a development certificate Redis would speak TLS, and every client would have to trust it
    var redis = builder.AddRedis("redis").WithoutHttpsCertificate();
#pragma warning restore ASPIRECERTIFICATES001
    var user = builder.AddParameter("minio-user", new GenerateParameterDefault { MinLength = 12, Special = false }, secret: true, persist: true);
    var password = builder.AddParameter("minio-password", new GenerateParameterDefault { MinLength = 24, Special = false }, secret: true, persist: true);
    var minio = builder.AddContainer("minio", "quay.io/minio/minio", "RELEASE.2025-09-07T16-13-09Z")
        .WithArgs("server", "/data", "--console-address", ":9001")
        .WithEnvironment("MINIO_ROOT_USER", user)
        .WithEnvironment("MINIO_ROOT_PASSWORD", password)
        .WithHttpEndpoint(targetPort: 9000, name: "http")
        .WithHttpEndpoint(targetPort: 9001, name: "console")
        .WithVolume("ssti-artifacts", "/data")
        .WithHttpHealthCheck("/minio/health/live");
    return new(
        service => service
            .WithReference(redis).WaitFor(redis)
            .WithEnvironment("S3__Endpoint", minio.GetEndpoint("http"))
            .WithEnvironment("S3__Bucket", "ssti")
            .WithEnvironment("S3__AccessKey", user)
            .WithEnvironment("S3__SecretKey", password)
            .WaitFor(minio),
        ReferenceExpression.Create($"{redis.Resource}"));
}

// Membership in a Redis that was found on this machine, artifacts in a folder.
Cluster LocalRedis(string program)
{
    var port = Surroundings.FreePort();
    var server = builder.AddExecutable("redis-server", program, root, "--bind", "127.0.0.1", "--port", $"{port}", "--save", "", "--appendonly", "no")
        .WithEndpoint(port: port, targetPort: port, scheme: "tcp", name: "tcp", isProxied: false);
    var redis = builder.AddConnectionString("redis", ReferenceExpression.Create($"{server.GetEndpoint("tcp").Property(EndpointProperty.HostAndPort)}"));
    return new(
        service => service.WithReference(redis).WithEnvironment("Ssti__Store", store).WaitFor(server),
        ReferenceExpression.Create($"{redis.Resource}"));
}

// Membership kept by the first service, artifacts in a folder.
Cluster LocalPorts()
{
    var (silo, gateway) = (Surroundings.FreePort().ToString(), Surroundings.FreePort().ToString());
    return new(service => service.WithEnvironment("Ssti__Store", store), ReferenceExpression.Create($"local:{gateway}"))
    {
        ToBeFirst = service => service.WithEnvironment("Ssti__SiloPort", silo).WithEnvironment("Ssti__GatewayPort", gateway),
        ToJoin = service => service.WithEnvironment("Ssti__Primary", $"127.0.0.1:{silo}"),
    };
}
