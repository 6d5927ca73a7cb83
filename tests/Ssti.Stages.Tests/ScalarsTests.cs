using System.Reflection;
using Ssti.Nets;
using Ssti.Training;
using TorchSharp;

namespace Ssti.Stages.Tests;

public sealed class ScalarsTests
{
    private const BindingFlags Everything = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    /// <summary>
    /// Reads the compiled code of TorchSharp for methods that leave a scalar to the finaliser while libtorch may be reading it, and ours for calls of them.
    /// </summary>
    [Fact]
    public void No_call_leaves_a_scalar_to_the_garbage_collector()
    {
        var torch = MethodsOf(typeof(Scalar).Assembly).ToDictionary(method => method, CallsOf);
        var careless = torch.Where(pair => pair.Value.Any(MakesScalar) && !pair.Value.Any(DisposesScalar)).Select(pair => pair.Key)
            .Where(method => method.DeclaringType != typeof(Scalar) && method.DeclaringType != typeof(ScalarExtensionMethods)).ToHashSet();
        // Whoever calls a careless method is careless too.
        for (var before = -1; before != careless.Count;)
        {
            before = careless.Count;
            careless.UnionWith(torch.Where(pair => pair.Value.Any(careless.Contains)).Select(pair => pair.Key).ToList());
        }

        var ours = new[] { typeof(Scalars).Assembly, typeof(TrainingTarget).Assembly, typeof(TrainStage).Assembly };
        var mistakes = from method in ours.SelectMany(MethodsOf)
                       where method.DeclaringType != typeof(Scalars)
                       from called in CallsOf(method)
                       where careless.Contains(called) || IsImplicit(called)
                       select $"{method.DeclaringType}.{method.Name} calls {called}";

        Assert.Contains(careless, method => method.Name == "op_Addition");
        var told = string.Join("\n", mistakes.Distinct());
        Assert.True(told.Length == 0, told);
    }

    private static bool IsImplicit(MethodBase method) => method.DeclaringType == typeof(Scalar) && method.Name == "op_Implicit";

    private static bool MakesScalar(MethodBase method) => IsImplicit(method) || (method.DeclaringType == typeof(ScalarExtensionMethods) && method.Name == "ToScalar");

    private static bool DisposesScalar(MethodBase method) => method.Name == "Dispose" && (method.DeclaringType == typeof(Scalar) || method.DeclaringType == typeof(IDisposable));

    private static IEnumerable<MethodBase> MethodsOf(Assembly assembly) =>
        assembly.GetTypes().SelectMany(type => type.GetMethods(Everything).Concat<MethodBase>(type.GetConstructors(Everything)));

    // Every metadata token that follows the opcode of a call; bytes of an operand that happen to look like one name some method that is not careless.
    private static HashSet<MethodBase> CallsOf(MethodBase method)
    {
        var calls = new HashSet<MethodBase>();
        if (method.GetMethodBody()?.GetILAsByteArray() is not { } code) return calls;
        var ofType = method.DeclaringType!.IsGenericType ? method.DeclaringType.GetGenericArguments() : null;
        var ofMethod = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (var at = 0; at + 5 <= code.Length; at++)
        {
            if (code[at] is not (0x28 or 0x6F or 0x73)) continue;
            try
            {
                if (method.Module.ResolveMethod(BitConverter.ToInt32(code, at + 1), ofType, ofMethod) is { } called) calls.Add(called);
            }
            catch (Exception e) when (e is ArgumentException or BadImageFormatException or TypeLoadException or FileNotFoundException)
            {
                // No token of a method: not a call after all.
            }
        }

        return calls;
    }
}
